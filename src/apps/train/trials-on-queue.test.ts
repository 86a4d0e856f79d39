import { beforeAll, describe, expect, it } from 'vitest';
import { type Piece, Shipment, type WorkDocument, workIdOf } from '#adapters';
import { sha256 } from '#base';
import { type InstrumentId, instrumentFor } from '#market';
import { type ColdData, coldWindows, regimeAlong } from '#research';
import { QUARTER, TREND_START, trendingBars } from '../../../test/support/trending-market.ts';
import { fetchTrials, readTrialsPlan, shipTrials } from './shipped-trials.ts';
import { chosenConfigs, coldPoint } from './train-config.ts';
import { packPlayedTrial, packTrial } from './trial-kind.ts';
import { playTrial, type TrialJob, type TrialPlayed, type TrialSetting } from './trial-player.ts';
import { readTrial, trialsDocument } from './trials-on-queue.ts';

const bars = trendingBars({ days: 26, seed: 'trial' });
const each = <T extends Float64Array | Uint8Array>(column: T, of: (i: number) => number): T => {
  for (let i = 0; i < column.length; i++) column[i] = of(i);
  return column;
};
const n = bars.length;
const data: ColdData = {
  instrument: instrumentFor('BTCUSDT.BINANCE-USDM' as InstrumentId),
  intervalMs: QUARTER,
  bars,
  fundingTilts: each(new Float64Array(n), (i) => (i % 7) / 10 - 0.3),
  funding: { times: [TREND_START + 3_600_000, TREND_START + 9 * 3_600_000], rates: [1e-4, -2e-4] },
  ...regimeAlong(bars, null),
  news: {
    score: each(new Float64Array(n), (i) => Math.sin(i)),
    stops: each(new Uint8Array(n), (i) => Number(i % 50 === 0)),
    halves: each(new Uint8Array(n), (i) => Number(i % 91 === 0)),
    known: each(new Uint8Array(n), () => 1),
  },
};
const [train] = chosenConfigs(['BTC_15M'], { trainDays: 5, testHours: 48 });
const study = {
  data,
  rules: train!.rules,
  costs: { cash: 10_000 * 10 ** 8, feeRate: 0.00038, slippageRate: 0.0001 },
  embargoBars: 12,
  seed: '1',
};
const setting: TrialSetting = {
  study,
  windows: coldWindows(bars.time, n, QUARTER, train!.lengths),
};
const point = coldPoint({
  rsi: 14,
  atr: 14,
  momentum: 20,
  maxDepth: 3,
  eta: 0.2,
  minChildWeight: 2,
  subsample: 0.8,
  rounds: 20,
});
const job: TrialJob = { point, medians: null, until: 8, detail: false };
const stopping: TrialJob = {
  ...job,
  medians: setting.windows.map((_, k) => (k < 6 ? null : -1e6)),
  until: null,
};

let here: TrialPlayed;
let stopped: TrialPlayed;
let honest: string;
beforeAll(() => {
  here = playTrial(setting, job);
  stopped = playTrial(setting, stopping);
  honest = JSON.stringify({ played: packPlayedTrial(packTrial(job), here), failed: null });
});

/** What trials have in common as a worker has it. */
async function elsewhere(
  change: (pieces: Record<string, Piece[]>, plan: Record<string, unknown>) => void = () => {},
) {
  const sent = new Map<string, Uint8Array>();
  const shipment = new Shipment();
  const add = shipment.add.bind(shipment);
  shipment.add = (bytes) => {
    sent.set(sha256(bytes), Uint8Array.from(bytes));
    return add(bytes);
  };
  const pieces: Record<string, Piece[]> = {};
  const plan = shipTrials(setting, 'a'.repeat(64), shipment, pieces);
  change(pieces, plan);
  const read = readTrialsPlan(JSON.parse(JSON.stringify(plan)));
  return fetchTrials(read, pieces, async (own) => {
    const bytes = own.map(({ hash }) => sent.get(hash)!);
    const block = new SharedArrayBuffer(bytes.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const one of bytes) {
      new Uint8Array(block, at).set(one);
      at += one.length;
    }
    return block;
  });
}

describe('a training on its way to a worker', () => {
  it('is the same there, so that its trials are', async () => {
    const there = (await elsewhere())!;
    expect(there.windows).toEqual(setting.windows);
    expect(there.study.data.instrument).toEqual(data.instrument);
    expect(there.study.data.news).toEqual(data.news);
    expect([...(there.study.data.funding!.rates as Float64Array)]).toEqual(data.funding!.rates);
    expect(playTrial(there, stopping)).toEqual(stopped);
    expect(JSON.stringify(playTrial(there, job))).toBe(JSON.stringify(here));
  });

  it.each<[string, Parameters<typeof elsewhere>[0], string]>([
    ['lacks a column', (pieces) => void delete pieces.close, 'close is not as long'],
    [
      'has a shorter one',
      (pieces) => {
        pieces.regime = pieces.newsScore!;
      },
      'regime is not as long',
    ],
    [
      'has a window behind its bars',
      (_, plan) => {
        plan.windows = [{ ...setting.windows[0], test: { from: 0, to: n + 1 } }];
      },
      'window 0',
    ],
    [
      'has a member that nobody knows',
      (_, plan) => {
        plan.more = 1;
      },
      'Unrecognized key',
    ],
  ])('is refused when it %s', async (_, change, says) => {
    await expect(elsewhere(change)).rejects.toThrow(says);
  });

  it('is named by all that decides its trials', () => {
    const { signal } = new AbortController();
    const documentOf = (changed: Partial<TrialSetting>, search = 'a'): WorkDocument =>
      trialsDocument({ setting: { ...setting, ...changed }, study: search.repeat(64), title: 't', signal })
        .document;
    const id = workIdOf(documentOf({}));
    expect(workIdOf(documentOf({}))).toBe(id);
    expect(documentOf({}).plan).not.toHaveProperty('data');
    for (const other of [
      documentOf({}, 'b'),
      documentOf({ windows: setting.windows.slice(1).map((one, k) => ({ ...one, number: k })) }),
      documentOf({ study: { ...study, seed: '2' } }),
      documentOf({ study: { ...study, data: { ...data, regimeStrength: new Float64Array(n) } } }),
    ])
      expect(workIdOf(other)).not.toBe(id);
  });
});

type Changed = Record<string, unknown> & { windows: Record<string, unknown>[]; reports: unknown[] };

function read(change: (played: Changed) => unknown) {
  const result = JSON.parse(honest) as { played: Changed; failed: unknown };
  const changed = change(result.played);
  return readTrial(setting, packTrial(job), changed === undefined ? result : changed);
}
const FAILED = { name: 'RangeError', message: 'made to fail', stack: null, mend: null };

describe('a trial that came through Redis', () => {
  it('is taken when it is the one asked for, bit for bit', () => {
    expect(here.windows.some(({ nets }) => nets.length > 5)).toBe(true);
    const taken = read(() => undefined);
    expect(taken).toEqual(here);
    expect(JSON.stringify(taken)).toBe(JSON.stringify(here));
  });

  it('may have been stopped where its medians stop it, or have failed where the engine could not tell', () => {
    expect(stopped.pruned).toBe(true);
    const item = packTrial(stopping);
    const result = JSON.parse(JSON.stringify({ played: packPlayedTrial(item, stopped), failed: null })) as {
      played: Record<string, unknown>;
    };
    expect(readTrial(setting, item, result)).toEqual(stopped);
    expect(readTrial(setting, item, { ...result, played: { ...result.played, pruned: false } })).toBeNull();
    const half = { ...here, windows: here.windows.slice(0, 3), reports: [], failed: true };
    const cut = { played: packPlayedTrial(packTrial(job), half), failed: null };
    expect(readTrial(setting, packTrial(job), JSON.parse(JSON.stringify(cut)))).toEqual(half);
    expect(() => read(() => ({ played: null, failed: FAILED }))).toThrow('made to fail');
  });

  it.each<[string, (played: Changed) => unknown]>([
    ['nothing', () => null],
    ['neither a trial nor a failure', () => ({ played: null, failed: null })],
    [
      'of another point',
      (one) => {
        one.of = packTrial({ ...job, point: { ...point, rsi: 15 } });
      },
    ],
    [
      'of other medians',
      (one) => {
        one.of = packTrial(stopping);
      },
    ],
    ['a window short', (one) => void one.windows.pop()],
    ['a window too long', (one) => void one.windows.push({ ...one.windows.at(-1)!, number: 8 })],
    ['with windows in another order', (one) => void one.windows.reverse()],
    [
      'with a day more than its test',
      (one) => {
        one.windows[0]!.equity = one.windows[0]!.nets;
      },
    ],
    [
      'with other cash',
      (one) => {
        one.windows[2]!.equity = doubles(1, 2, 3);
      },
    ],
    [
      'with a net that is no number',
      (one) => {
        one.windows[0]!.nets = doubles(Number.NaN);
      },
    ],
    [
      'with nets that are not what it reported',
      (one) => {
        one.windows[6]!.sharpe = 1e3;
      },
    ],
    ['with a report too many', (one) => void one.reports.push([7, 1])],
    [
      'stopped though nothing stopped it',
      (one) => {
        one.pruned = true;
      },
    ],
    [
      'failed though it came to its end',
      (one) => {
        one.failed = true;
      },
    ],
    [
      'with models that nobody asked for',
      (one) => {
        one.detail = [];
      },
    ],
  ])('is refused when it is %s', (_, change) => {
    expect(read(change)).toBeNull();
  });
});

const doubles = (...values: number[]) => Buffer.from(Float64Array.from(values).buffer).toString('base64');
