/** Sorts and filters tables; without it they are plain tables. `fast<20 Sharpe>1` compares columns, other words must occur. */
export const TABLE_SCRIPT = `'use strict';
for (const box of document.querySelectorAll('.table')) {
  const body = box.querySelector('tbody');
  const heads = [...box.querySelectorAll('thead th')];
  const rows = [...body.rows];
  const keyOf = (row, i) => {
    const cell = row.cells[i];
    const key = cell.dataset.key ?? cell.textContent;
    const value = Number(key);
    return key.trim() !== '' && Number.isFinite(value) ? value : key;
  };
  const compare = (a, b) =>
    typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === 'number' ? -1 : 1;
  heads.forEach((head, i) => {
    head.querySelector('button.sort')?.addEventListener('click', () => {
      const sign = head.getAttribute('aria-sort') === 'descending' ? 1 : -1;
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', sign === 1 ? 'ascending' : 'descending');
      rows.sort((a, b) => {
        const x = keyOf(a, i);
        const y = keyOf(b, i);
        return typeof x === typeof y ? sign * compare(x, y) : compare(x, y);
      });
      body.append(...rows);
    });
  });
  const input = box.querySelector('input');
  if (input === null) continue;
  const names = heads.map((head) => head.textContent.trim().toLowerCase());
  const tests = { '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '=': (a, b) => a === b };
  const conditionOf = (word) => {
    const match = /^([^<>=]+)(<=|>=|<|>|=)(.+)$/.exec(word);
    const column = match === null ? -1 : names.findIndex((name) => name.replaceAll(' ', '') === match[1].toLowerCase());
    if (column < 0) return (row) => row.textContent.toLowerCase().includes(word.toLowerCase());
    const wanted = Number.isFinite(Number(match[3])) ? Number(match[3]) : match[3];
    return (row) => typeof keyOf(row, column) === typeof wanted && tests[match[2]](keyOf(row, column), wanted);
  };
  input.addEventListener('input', () => {
    const conditions = input.value.split(/\\s+/).filter((word) => word !== '').map(conditionOf);
    for (const row of rows) row.hidden = !conditions.every((holds) => holds(row));
  });
}`;
