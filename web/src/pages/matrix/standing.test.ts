import { describe, expect, it } from 'vitest';
import {
  bandOf,
  type Cell,
  causeOf,
  type Family,
  type KillSwitch,
  parityOf,
  profitFactorText,
  rowsOf,
  standingOf,
} from './standing.ts';

const MINUTE = 60_000;
const MODEL: NonNullable<Cell['model']> = {
  id: 'abcdef012345',
  name: 'S1_RX68_BTC_15M',
  stage: 'paper',
  trainedTo: 0,
  ageMs: 1,
  fault: null,
  rows: 1,
  clippedShare: 0,
  drifted: false,
  parity: null,
};
const CELL: Cell = {
  desk: 's1-rx68-btc-1m',
  family: 's1-momentum',
  symbol: 'BTC',
  instrument: 'BTCUSDT.BINANCE-USDM',
  intervalMs: MINUTE,
  timeframe: '1m',
  running: true,
  bars: 300,
  warmUpBars: 250,
  lastBarAt: 10 * MINUTE,
  stamps: [],
  position: null,
  today: '0',
  made: '0',
  trades: { n: 0, won: 0, lost: 0, even: 0 },
  profitFactor: null,
  winRate: null,
  drawdown: 0,
  drawdownMax: 0,
  drawdownLimit: 0.1,
  decision: null,
  model: MODEL,
  killSwitches: [],
};

describe('how a config stands', () => {
  it.each<[string, Partial<Cell>]>([
    ['ready', {}],
    ['warming up', { bars: 249 }],
    ['no model', { model: { ...MODEL, id: null, fault: 'there is no model' } }],
    ['model unfit', { model: { ...MODEL, fault: 'the scaler was touched' } }],
    ['feed old', { lastBarAt: 10 * MINUTE - 1 }],
    ['stopped', { running: false }],
    ['group tripped', { running: false, killSwitches: ['s1'] }],
    ['tripped', { killSwitches: ['s1', 's1-rx68-btc-1m'] }],
  ])('%s', (name, change) => {
    expect(standingOf({ ...CELL, ...change }, 13 * MINUTE).name).toBe(name);
  });

  it('is ready without a model where none is needed, and before the first bar warms up', () => {
    expect(standingOf({ ...CELL, model: null }, 13 * MINUTE).name).toBe('ready');
    expect(standingOf({ ...CELL, lastBarAt: null, bars: 0 }, 13 * MINUTE)).toMatchObject({
      name: 'warming up',
      says: '0 of 250 bars before the first decision',
    });
  });
});

describe('the band', () => {
  it.each([
    [0.05, 'fine'],
    [0.076, 'near'],
    [0.1, 'near'],
    [0.1001, 'over'],
  ] as const)('of 10 %% at %s is %s', (drawdownMax, state) => {
    expect(bandOf({ drawdownMax, drawdownLimit: 0.1 })?.state).toBe(state);
  });
  it('is none where no limit is set', () => {
    expect(bandOf({ drawdownMax: 0.5, drawdownLimit: null })).toBeNull();
  });
});

describe('figures', () => {
  it('parity is unknown before a bar was compared, and too far above 1 bp', () => {
    const of = (meanBp: number | null) => parityOf({ bars: 3, meanBp, maxBp: meanBp });
    expect(parityOf(null).text).toBe('not compared');
    expect(of(null)).toEqual({ text: 'unknown', state: 'unknown' });
    expect(of(1)).toEqual({ text: '1.00 bp', state: 'fine' });
    expect(of(1.01).state).toBe('over');
  });

  it('a profit factor is infinite while nothing was lost, and none before a trade', () => {
    const trades = { n: 2, won: 2, lost: 0, even: 0 };
    expect(profitFactorText({ profitFactor: null, trades })).toBe('∞');
    expect(profitFactorText({ profitFactor: null, trades: CELL.trades })).toBe('–');
    expect(profitFactorText({ profitFactor: 1.105, trades })).toBe('1.10');
  });

  it('a cause has its numbers where it has any', () => {
    const one: KillSwitch = {
      name: 's1',
      kind: 'group',
      desks: [],
      trigger: 'day-loss',
      since: 1,
      text: 'loss of the day',
      measured: 0.051446,
      needed: 0.05,
      resetAt: null,
    };
    expect(causeOf(one)).toBe('loss of the day (0.05145, limit 0.05)');
    expect(causeOf({ ...one, measured: null })).toBe('loss of the day');
    expect(causeOf({ ...one, trigger: null })).toBe('');
  });
});

describe('rows', () => {
  const family: Family = {
    name: 's1-momentum',
    symbols: ['BTC', 'ETH'],
    timeframes: [
      { name: '1m', ms: MINUTE },
      { name: '3m', ms: 3 * MINUTE },
    ],
    baselines: null,
  };
  it('hold every config once, leave gaps, and keep other families out', () => {
    const cells = [
      { ...CELL, symbol: 'ETH', intervalMs: 3 * MINUTE },
      CELL,
      { ...CELL, family: 'sigma', desk: 'other' },
    ];
    const rows = rowsOf(family, cells);
    expect(rows.map(({ symbol }) => symbol)).toEqual(['BTC', 'ETH']);
    expect(rows.map(({ slots }) => slots.map((slot) => slot.length))).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
