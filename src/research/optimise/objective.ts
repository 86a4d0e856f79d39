import { InputError } from '#base';
import { nearest } from '#features';
import { performanceOf } from '../statistics/performance.ts';

/** What a run came to, as far as an objective looks at it. Money in one unit. */
export interface RunOutcome {
  readonly cash: number;
  /** Equity at the end of each day. */
  readonly daily: readonly number[];
  /** Over every sample, not days alone. */
  readonly maxDrawdown: number;
  /** Net results of closed trades. */
  readonly nets: readonly number[];
}

/** What a study makes as large, or as small, as it can. */
export interface Objective {
  readonly name: string;
  readonly direction: 'maximise' | 'minimise';
  readonly summary: string;
  /** Null where the run does not define it. */
  readonly of: (outcome: RunOutcome) => number | null;
}

const DAYS_PER_YEAR = 365;

const performance = ({ cash, daily, nets }: RunOutcome) =>
  performanceOf({
    equity: [cash, ...daily],
    periodsPerYear: DAYS_PER_YEAR,
    trades: nets.map((net) => ({ net })),
  });

/** Fewer daily returns than this have no Sharpe ratio: the summary of a backtest says so too. */
const RETURNS_LEAST = 3;

const OBJECTIVES: readonly Objective[] = [
  {
    name: 'sharpe',
    direction: 'maximise',
    summary: 'Sharpe ratio of daily returns, per year of 365 days',
    of: (outcome) => (outcome.daily.length < RETURNS_LEAST ? null : performance(outcome).sharpe),
  },
  {
    name: 'sortino',
    direction: 'maximise',
    summary: 'Sortino ratio of daily returns, per year of 365 days',
    of: (outcome) => (outcome.daily.length < RETURNS_LEAST ? null : performance(outcome).sortino),
  },
  {
    name: 'return',
    direction: 'maximise',
    summary: 'equity at the end over cash at the start, less 1',
    of: (outcome) => performance(outcome).totalReturn,
  },
  {
    name: 'calmar',
    direction: 'maximise',
    summary: 'compound growth per year over the largest drawdown',
    of: (outcome) => {
      const { cagr } = performance(outcome);
      return cagr === null || !(outcome.maxDrawdown > 0) ? null : cagr / outcome.maxDrawdown;
    },
  },
  {
    name: 'profitFactor',
    direction: 'maximise',
    summary: 'gross profit of closed trades over their gross loss',
    of: (outcome) => performance(outcome).profitFactor,
  },
  {
    name: 'maxDrawdown',
    direction: 'minimise',
    summary: 'largest fall of equity from a peak, as a share of the peak',
    of: (outcome) => outcome.maxDrawdown,
  },
];

export const OBJECTIVE_NAMES: readonly string[] = OBJECTIVES.map(({ name }) => name);

/** Throws InputError for a name that is no objective. */
export function objectiveOf(name: string): Objective {
  const found = OBJECTIVES.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new InputError(
    `there is no objective "${name}"`,
    `the nearest is "${nearest(name, OBJECTIVE_NAMES)}"; all: ${OBJECTIVE_NAMES.join(', ')}`,
  );
}
