// Before the first paint, so that the page does not flash in the other theme. A file because inline scripts are forbidden.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('quorum.theme');
  } catch {
    // Storage may be switched off; the system's choice counts then.
  }
  const dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
