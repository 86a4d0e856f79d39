import { floorTo, formatInterval, InputError, type Instant } from '#base';
import type { Engine } from '#engine';
import { type FeatureDrift, featureDrifts, type Parity, type ParitySide, parityOf } from '#research';
import { isPortfolio, readRun } from '../setup/replay-run.ts';
import { playPortfolioAgain, playRunAgain, requireJournal, type Witness } from './witness.ts';

export interface ParityRequest {
  /** Live or paper, or a backtest. */
  readonly a: string;
  /** What it is held against. */
  readonly b: string;
  /** Newest bars that both cover. */
  readonly bars: number;
  readonly driftBpMax: number;
  readonly agreementMin: number;
  /** Largest mean difference of fill prices; null: no limit. */
  readonly fillBpMax: number | null;
  readonly keepsOn: () => boolean;
}

export interface ParityStudy {
  readonly a: string;
  readonly b: string;
  readonly intervalMs: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly parity: Parity;
  readonly features: readonly FeatureDrift[];
  /** What is beyond its limit, in words. */
  readonly beyond: readonly string[];
  readonly notes: readonly string[];
}

/** What was seen of one of the two. */
interface Side {
  readonly dir: string;
  readonly intervalMs: number;
  /** Equity over cash at the start, after each bar, by the bar's close. */
  readonly equity: ReadonlyMap<Instant, number>;
  /** Direction wanted by close and instrument. */
  readonly signals: ReadonlyMap<string, number>;
  readonly fills: readonly { readonly at: Instant; readonly key: string; readonly price: number }[];
  readonly features: Readonly<Record<string, number[]>>;
}

/**
 * Holds two result sets of the same bars against each other: drift of the returns, agreement of what was decided, difference
 * of fill prices, and shift of the features. Throws InputError where they have no bars in common.
 */
export async function runParity(request: ParityRequest): Promise<ParityStudy | null> {
  const a = await sideOf(request.a, request);
  const b = a === null ? null : await sideOf(request.b, request);
  if (a === null || b === null) return null;
  if (a.intervalMs !== b.intervalMs) {
    throw new InputError(
      `${a.dir} decides on bars of ${formatInterval(a.intervalMs)}, ${b.dir} on ${formatInterval(b.intervalMs)}`,
      'compare runs of one interval',
    );
  }
  const common = [...a.equity.keys()].filter((at) => b.equity.has(at)).sort((x, y) => x - y);
  const times = common.slice(-(request.bars + 1));
  if (times.length < 2) {
    throw new InputError(
      `${a.dir} and ${b.dir} have ${common.length} bars in common`,
      'compare two result sets of the same time',
    );
  }
  const [from, to] = [times[0]!, times.at(-1)!];
  const instruments = [
    ...new Set([...a.signals.keys(), ...b.signals.keys()].map((key) => key.split(' ')[1]!)),
  ].sort();
  const parity = parityOf(parityOfSide(a, times, instruments), parityOfSide(b, times, instruments), {
    bars: Infinity,
    driftBpMax: request.driftBpMax,
    agreementMin: request.agreementMin,
  });
  const drifts = featureDrifts(b.features, a.features);
  const drifted = drifts.filter(({ verdict }) => verdict === 'drift');
  const { driftBp, agreement, fillDifferenceBp, alerts } = parity;
  const beyond = [
    ...(alerts.includes('drift')
      ? [`drift ${driftBp.toFixed(3)} bp a bar, allowed ${request.driftBpMax}`]
      : []),
    ...(alerts.includes('agreement')
      ? [`agreement ${((agreement ?? 0) * 100).toFixed(2)} %, needed ${request.agreementMin * 100} %`]
      : []),
    ...(request.fillBpMax !== null && fillDifferenceBp !== null && fillDifferenceBp > request.fillBpMax
      ? [`fills differ by ${fillDifferenceBp.toFixed(2)} bp, allowed ${request.fillBpMax}`]
      : []),
    ...drifted.map(
      ({ feature, index }) => `feature ${feature}: stability index ${index!.toFixed(3)}, drift above 0.25`,
    ),
  ];
  const notes =
    times.length - 1 < request.bars
      ? [`${times.length - 1} bars in common, fewer than the ${request.bars} that are usual`]
      : [];
  return { a: a.dir, b: b.dir, intervalMs: a.intervalMs, from, to, parity, features: drifts, beyond, notes };
}

/** Returns and signals bar by bar; with several instruments the signals of all of them, one behind the other. */
function parityOfSide(side: Side, times: readonly Instant[], instruments: readonly string[]): ParitySide {
  const many = Math.max(1, instruments.length);
  const bars = times.slice(1);
  // one entry for each bar and instrument: the bar's return stands beside each of its signals
  const returns = bars.flatMap((at, i) =>
    Array.from({ length: many }, () => side.equity.get(at)! / side.equity.get(times[i]!)! - 1),
  );
  const signals = bars.flatMap((at) =>
    instruments.length === 0 ? [null] : instruments.map((id) => side.signals.get(`${at} ${id}`) ?? null),
  );
  const [from, to] = [times[0]!, times.at(-1)!];
  const fills = new Map<string, number>();
  for (const { at, key, price } of side.fills) if (at > from && at <= to) fills.set(key, price);
  return { returns, signals, fills };
}

async function sideOf(dir: string, { bars, keepsOn }: ParityRequest): Promise<Side | null> {
  requireJournal(dir);
  const seen = new Seen(bars);
  if (isPortfolio(dir)) return seen.side(dir, await playPortfolioAgain(dir, seen.witness));
  const played = await playRunAgain(await readRun(dir), { witness: seen.witness, keepsOn });
  return played === null ? null : seen.side(dir, played.engine);
}

/** Gathers what a run shows while it is played again. */
class Seen {
  readonly witness: Witness;
  private readonly bars: number;
  private readonly equity = new Map<Instant, number>();
  private readonly signals = new Map<string, number>();
  private readonly fills: { readonly at: Instant; readonly key: string; readonly price: number }[] = [];
  private readonly counts = new Map<string, number>();
  private engine: Engine | null = null;
  private readonly waiting: {
    readonly at: Instant;
    readonly instrument: string;
    readonly side: string;
    readonly ticks: number;
  }[] = [];

  constructor(bars: number) {
    this.bars = bars;
    this.witness = {
      moved: (at, engine) => {
        this.engine = engine;
        const { intervalMs } = engine.desks[0]!.instruments[0]!;
        // the last word on a bar is what stands when the next one begins
        const close = Math.ceil(at / intervalMs) * intervalMs;
        this.equity.set(close, engine.equity() / engine.definition.cash);
      },
      decided: ({ at, instrument, action }) => {
        const direction = action === 'enter-long' ? 1 : action === 'enter-short' ? -1 : 0;
        this.signals.set(`${at} ${instrument}`, direction);
      },
      filled: ({ instrument, side, ticks }, at) => {
        this.waiting.push({ at, instrument, side, ticks });
      },
    };
  }

  side(dir: string, engine: Engine): Side {
    const runtimes = engine.desks.flatMap((desk) => desk.instruments);
    const { intervalMs } = (this.engine ?? engine).desks[0]!.instruments[0]!;
    for (const { at, instrument, side, ticks } of this.waiting) {
      const { tick } = engine.instrumentOf(instrument as never);
      const place = `${floorTo(at, intervalMs)} ${instrument} ${side}`;
      const n = (this.counts.get(place) ?? 0) + 1;
      this.counts.set(place, n);
      this.fills.push({ at, key: `${place} ${n}`, price: (ticks * tick.units) / 10 ** tick.scale });
    }
    const features: Record<string, number[]> = {};
    for (const { frame, instrument } of runtimes) {
      const rows = Math.min(this.bars, frame.bars.length);
      for (const column of frame.columns) {
        const handle = frame.column(column);
        features[`${instrument.id} ${column}`] = Array.from({ length: rows }, (_, ago) =>
          frame.value(handle, ago),
        );
      }
    }
    return { dir, intervalMs, equity: this.equity, signals: this.signals, fills: this.fills, features };
  }
}

/** What `--json` says. */
export const parityAsData = (study: ParityStudy): Record<string, unknown> => {
  const { parity, ...rest } = study;
  return { ...rest, ...parity };
};
