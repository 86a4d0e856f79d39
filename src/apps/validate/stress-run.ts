import { DAY, formatInstant, InputError, type Instant } from '#base';
import type { Engine } from '#engine';
import { deviation } from '#learning';
import { feesAt, type Instrument, RATE_ONE } from '#market';
import {
  moves,
  STRESS_SCENARIOS,
  type StressAccount,
  type StressLimits,
  type StressPosition,
  type StressReport,
  type StressScenario,
  stressOf,
} from '#research';
import { isPortfolio, readRun } from '../setup/replay-run.ts';
import { playPortfolioAgain, playRunAgain, requireJournal, type Witness } from './witness.ts';

export interface StressRequest {
  /** Directory of a backtest or of a paper portfolio. */
  readonly dir: string;
  /** When; null: the worst moment of a run, the newest of a portfolio. */
  readonly at: Instant | null;
  readonly limits: StressLimits;
  /** Half of the spread as a share of the price, for what closing everything would cost. */
  readonly halfSpread: number;
  readonly scenarios: readonly string[];
  readonly keepsOn: () => boolean;
}

/** What was held at a moment. Money of the base currency. */
interface Holding {
  readonly at: Instant;
  readonly equity: number;
  readonly positions: readonly StressPosition[];
}

/** The worst that a scenario would have done to a run, whenever it had come. */
export interface WorstMoment {
  readonly scenario: string;
  readonly at: Instant;
  readonly lossShare: number;
  readonly liquidations: number;
}

export interface StressStudy {
  readonly kind: 'backtest' | 'paper';
  readonly currency: string;
  readonly at: Instant;
  readonly equity: number;
  readonly positions: readonly StressPosition[];
  readonly reports: readonly StressReport[];
  readonly scenarios: readonly StressScenario[];
  /** Moments examined at which something was held; empty for a portfolio's present. */
  readonly moments: number;
  readonly worst: readonly WorstMoment[];
  readonly notes: readonly string[];
}

/** Moments of a run that are examined at most. */
const MOMENTS = 2_000;

/**
 * Applies historic and synthetic shocks to what is held: at a moment, and at up to 2,000 moments spread over a whole run.
 * Positions are held as they are; nobody acts during a shock. Throws InputError where nothing was ever held.
 */
export async function runStress(request: StressRequest): Promise<StressStudy | null> {
  const { dir, limits } = request;
  requireJournal(dir);
  const scenarios = chosen(request.scenarios);
  const judge = (holding: Holding) => stressOf(holding.positions, accountOf(holding), scenarios, limits);
  const found = isPortfolio(dir) ? await holdingsOfPortfolio(request) : await holdingsOfRun(request);
  if (found === null) return null;
  const { kind, holdings, currency } = found;
  if (holdings.length === 0) {
    throw new InputError(
      request.at === null
        ? `${dir} ${kind === 'paper' ? 'holds nothing now' : 'never held anything'}`
        : `${dir} held nothing at or before ${formatInstant(request.at)}`,
      request.at === null
        ? kind === 'paper'
          ? 'look at a moment at which it held something, with --at'
          : 'give a run that trades'
        : 'give another --at, or leave it out for the worst moment',
    );
  }
  const worst = new Map<string, WorstMoment>();
  const total = new Set(scenarios.filter(({ kind: of }) => of === 'default').map(({ id }) => id));
  let here = holdings.at(-1)!;
  let most = -Infinity;
  for (const holding of holdings) {
    for (const { scenario, lossShare, liquidations } of judge(holding)) {
      const before = worst.get(scenario);
      if (before === undefined || lossShare > before.lossShare) {
        worst.set(scenario, { scenario, at: holding.at, lossShare, liquidations });
      }
      // the default of a venue takes everything at any moment
      if (lossShare <= most || total.has(scenario)) continue;
      most = lossShare;
      if (request.at === null && kind === 'backtest') here = holding;
    }
  }
  const reports = judge(here);
  return {
    kind,
    currency,
    at: here.at,
    equity: here.equity,
    positions: here.positions,
    reports,
    scenarios,
    moments: holdings.length,
    worst: kind === 'backtest' ? [...worst.values()] : [],
    notes: notesOf(reports),
  };
}

function chosen(ids: readonly string[]): readonly StressScenario[] {
  if (ids.length === 0) return STRESS_SCENARIOS;
  return ids.map((id) => {
    const found = STRESS_SCENARIOS.find((scenario) => scenario.id === id);
    if (found !== undefined) return found;
    const all = STRESS_SCENARIOS.map((scenario) => scenario.id).join(', ');
    throw new InputError(`there is no scenario "${id}"`, `take some of ${all}`);
  });
}

function notesOf(reports: readonly StressReport[]): string[] {
  const lacking = new Set(reports.flatMap(({ unmeasured }) => unmeasured));
  return lacking.size === 0
    ? []
    : [
        `too little history to measure the moves or the volume of ${[...lacking].join(', ')}: some scenarios leave it out`,
      ];
}

const accountOf = ({ positions, equity }: Holding): StressAccount => {
  // one account: whatever is not behind a venue's positions is at the first of them
  const venues = [...new Set(positions.map(({ venue }) => venue))].sort();
  return { equity: Object.fromEntries(venues.map((venue, i) => [venue, i === 0 ? equity : 0])) };
};

interface Found {
  readonly kind: StressStudy['kind'];
  readonly currency: string;
  readonly holdings: readonly Holding[];
}

async function holdingsOfRun({ dir, at, halfSpread, keepsOn }: StressRequest): Promise<Found | null> {
  const run = await readRun(dir);
  const { from, to } = run.tape;
  if (at !== null && (at < from! || at > to!)) {
    throw new InputError(
      `${dir} has nothing at ${formatInstant(at)}`,
      `it runs from ${formatInstant(from!)} to ${formatInstant(to!)}`,
    );
  }
  const every = Math.max(1, (to! - from!) / MOMENTS);
  let holdings: Holding[] = [];
  let next = -Infinity;
  const moved: Witness['moved'] = (now, engine) => {
    if (at !== null ? now > at : now < next) return;
    const held = holdingOf(engine, now, halfSpread);
    if (at !== null) holdings = held === null ? [] : [held];
    else if (held !== null) {
      holdings.push(held);
      next = now + every;
    }
  };
  const played = await playRunAgain(run, { witness: { moved }, keepsOn });
  if (played === null) return null;
  return { kind: 'backtest', currency: played.engine.definition.base, holdings };
}

async function holdingsOfPortfolio({ dir, at, halfSpread }: StressRequest): Promise<Found> {
  let held: Holding | null = null;
  const moved: Witness['moved'] = (now, engine) => {
    if (at !== null && now <= at) held = holdingOf(engine, now, halfSpread);
  };
  const engine = await playPortfolioAgain(dir, at === null ? {} : { moved });
  if (at === null) held = holdingOf(engine, engine.at, halfSpread);
  return { kind: 'paper', currency: engine.definition.base, holdings: held === null ? [] : [held] };
}

/** Everything held right now; null when that is nothing. */
function holdingOf(engine: Engine, at: Instant, halfSpread: number): Holding | null {
  const positions = engine.real.ledger.positions().filter(({ lots }) => lots !== 0);
  if (positions.length === 0) return null;
  return {
    at,
    equity: engine.toMoney(engine.equity()),
    positions: positions.map(({ instrument: id, lots, leverage, margin }) => {
      const instrument = engine.instrumentOf(id);
      const runtime = engine.desks
        .flatMap((desk) => desk.instruments)
        .find((one) => one.instrument.id === id)!;
      const units = (lots * instrument.lot.units) / 10 ** instrument.lot.scale;
      const contract = instrument.contractSize.units / 10 ** instrument.contractSize.scale;
      const inverse = instrument.kind === 'inverse-perpetual';
      const notional = inverse ? (units * contract) / runtime.price : units * contract * runtime.price;
      const history = movesOf(runtime);
      return {
        instrument: id,
        tags: tagsOf(instrument),
        venue: instrument.venue,
        notional,
        leverage: Math.max(1, leverage),
        maintenanceRate: maintenanceOf(instrument, Math.abs(notional)),
        isolated: margin > 0,
        liquidationFeeRate: feesAt(instrument, at).takerRate / RATE_ONE,
        funded: instrument.fundingIntervalMs !== null,
        halfSpread,
        ...history,
      };
    }),
  };
}

type Runtime = Engine['desks'][number]['instruments'][number];

const HISTORY_DAYS = 30;

/** Deviation of a day's return and turnover of a day, from the bars that the desk still holds. */
function movesOf({ frame, intervalMs }: Runtime): Pick<StressPosition, 'deviationDaily' | 'volumeDaily'> {
  const { close, volume, length } = frame.bars;
  const perDay = DAY / intervalMs;
  const rows = Math.min(length, Math.ceil(HISTORY_DAYS * perDay) + 1);
  const returns: number[] = [];
  let turnover = 0;
  for (let i = length - rows; i < length; i++) {
    turnover += close[i]! * volume[i]!;
    if (i > length - rows) returns.push(close[i]! / close[i - 1]! - 1);
  }
  const sd = returns.length < 20 ? Number.NaN : deviation(returns);
  return {
    deviationDaily: moves(0, sd) ? sd * Math.sqrt(perDay) : null,
    volumeDaily: turnover > 0 ? (turnover * perDay) / rows : null,
  };
}

const COINS = new Set(['BTC', 'ETH']);

/** What shocks may name. */
function tagsOf({ underlying, venue, kind, symbol, settle }: Instrument): string[] {
  const crypto = kind.endsWith('perpetual') || /^(USDT|USDC|BUSD|BTC|ETH)$/.test(settle);
  return [
    underlying,
    symbol,
    venue,
    ...(crypto && !COINS.has(underlying) ? ['alt'] : []),
    ...(crypto ? ['crypto'] : []),
  ];
}

function maintenanceOf({ marginTiers, minorScale }: Instrument, notional: number): number {
  const minor = notional * 10 ** minorScale;
  const tier =
    marginTiers.find(({ maxNotional }) => maxNotional === null || minor <= maxNotional) ?? marginTiers.at(-1);
  return tier === undefined ? 0 : tier.maintenanceRate / RATE_ONE;
}

/** What `--json` and `--out` say. */
export function stressAsData(study: StressStudy): Record<string, unknown> {
  const titles = new Map(study.scenarios.map(({ id, title }) => [id, title]));
  return {
    kind: study.kind,
    currency: study.currency,
    at: study.at,
    equity: study.equity,
    positions: study.positions,
    reports: study.reports.map((report) => ({ title: titles.get(report.scenario), ...report })),
    moments: study.moments,
    worst: study.worst,
    notes: study.notes,
  };
}
