import type { JobRequest } from './jobs.ts';

export type StudyKind = 'backtest' | 'sweep' | 'walk-forward';

/** What stands in the form, as it was typed. */
export interface StudyText {
  readonly kind: StudyKind;
  readonly desk: string;
  readonly bars: string;
  readonly funding: string;
  readonly set: string;
  readonly grid: string;
  readonly where: string;
  readonly folds: string;
  readonly feeBps: string;
  readonly slippageBps: string;
  readonly cash: string;
  readonly from: string;
  readonly to: string;
  readonly seed: string;
}

export const EMPTY_STUDY: StudyText = {
  kind: 'backtest',
  desk: 'sample',
  bars: '',
  funding: '',
  set: '',
  grid: '',
  where: '',
  folds: '5',
  feeBps: '',
  slippageBps: '',
  cash: '',
  from: '',
  to: '',
  seed: '',
};

export type StudyErrors = { readonly [K in keyof StudyText]?: string };

const lines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** `name=value` lines. Numbers and yes or no are what they look like. */
function pairs(text: string): { readonly found: Record<string, string>; readonly bad: string | null } {
  const found: Record<string, string> = {};
  for (const line of lines(text)) {
    const match = /^([A-Za-z_$][\w$.]{0,59})\s*=\s*(.{1,200})$/.exec(line);
    if (match === null) return { found, bad: line };
    found[match[1]!] = match[2]!.trim();
  }
  return { found, bad: null };
}

function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text !== '' && Number.isFinite(number) ? number : text;
}

/** What was typed as a request, or what is wrong with it by field. */
export function readStudy(text: StudyText): {
  readonly request: JobRequest | null;
  readonly errors: StudyErrors;
} {
  const errors: { -readonly [K in keyof StudyText]?: string } = {};
  const number = (
    field: 'feeBps' | 'slippageBps' | 'cash',
    low: number,
    high: number,
  ): number | undefined => {
    if (text[field].trim() === '') return undefined;
    const value = Number(text[field]);
    if (Number.isFinite(value) && value >= low && value <= high) return value;
    errors[field] = `a number from ${low} to ${high}, or nothing`;
    return undefined;
  };
  const day = (field: 'from' | 'to'): number | undefined => {
    if (text[field] === '') return undefined;
    const at = Date.parse(`${text[field]}T00:00:00Z`);
    if (Number.isFinite(at)) return at;
    errors[field] = 'a day such as 2025-01-31';
    return undefined;
  };
  if (text.desk.trim() === '')
    errors.desk = 'the name of a desk, or a desk file below the folders the server may read';
  const set = pairs(text.set);
  if (set.bad !== null) errors.set = `write name=value, one a line: '${set.bad}' is not`;
  const [from, to] = [day('from'), day('to')];
  if (from !== undefined && to !== undefined && to <= from) errors.to = 'must come after the first day';
  const common = {
    desk: text.desk.trim(),
    bars: lines(text.bars),
    funding: lines(text.funding),
    set: Object.fromEntries(Object.entries(set.found).map(([name, value]) => [name, typed(value)])),
    feeBps: number('feeBps', 0, 1_000),
    slippageBps: number('slippageBps', 0, 1_000),
    cash: number('cash', 1, 1e12),
    from,
    to,
    seed: text.seed.trim() === '' ? undefined : text.seed.trim(),
  };
  const grid = pairs(text.grid);
  if (text.kind !== 'backtest') {
    if (grid.bad !== null)
      errors.grid = `write name=from:to:step or name=a,b,c, one a line: '${grid.bad}' is not`;
    else if (Object.keys(grid.found).length === 0) errors.grid = 'name at least one parameter that varies';
  }
  const folds = Number(text.folds);
  if (text.kind === 'walk-forward' && !(Number.isInteger(folds) && folds >= 2 && folds <= 50))
    errors.folds = 'a whole number from 2 to 50';
  if (Object.keys(errors).length > 0) return { request: null, errors };
  const varied = { grid: grid.found, where: text.where.trim() === '' ? undefined : text.where.trim() };
  if (text.kind === 'backtest') return { request: { kind: 'backtest', ...common, report: true }, errors };
  if (text.kind === 'sweep') return { request: { kind: 'sweep', ...common, ...varied }, errors };
  return { request: { kind: 'walk-forward', ...common, ...varied, folds }, errors };
}
