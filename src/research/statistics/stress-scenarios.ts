/** Prices of everything with this tag move along `path`: cumulative returns, one per step, the last one stays. */
export interface PriceShock {
  readonly tag: string;
  readonly path: readonly number[];
}

interface Named {
  readonly id: string;
  readonly title: string;
}

export type StressScenario =
  | (Named & {
      readonly kind: 'prices';
      /** First day, UTC; null for an invented one. */
      readonly date: string | null;
      /** A position takes the first shock whose tag it has. */
      readonly shocks: readonly PriceShock[];
    })
  /** All correlations rise to this; the most likely day on which the portfolio loses so many of its deviations. */
  | (Named & { readonly kind: 'correlation'; readonly correlation: number; readonly deviations: number })
  /** What it would cost to close everything now. */
  | (Named & { readonly kind: 'liquidity'; readonly spreadFactor: number; readonly volumeFactor: number })
  /** Nothing can be done for so long, and every price moves so many of its deviations against us. */
  | (Named & { readonly kind: 'outage'; readonly minutes: number; readonly deviations: number })
  /** A positive rate is paid by longs. */
  | (Named & { readonly kind: 'funding'; readonly rate: number; readonly payments: number })
  /** Everything held at a venue is gone; null: the one that holds most. */
  | (Named & { readonly kind: 'default'; readonly venue: string | null });

/** Equal steps to a total. */
const inSteps = (total: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => (total * (i + 1)) / steps);

/** Equal returns that compound. */
const compounded = (each: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => (1 + each) ** (i + 1) - 1);

/**
 * Historic shocks, rounded (research.md 5). Where the source names one coin, other coins (tag `crypto`) take its
 * fall, or the harder one of two; steps within an event are even, since only its size is stated.
 */
export const HISTORIC_SCENARIOS: readonly StressScenario[] = [
  {
    kind: 'prices',
    id: 'covid-crypto-2020',
    title: '12 March 2020: BTC -39 % in a day',
    date: '2020-03-12',
    shocks: [
      { tag: 'BTC', path: [-0.39] },
      { tag: 'ETH', path: [-0.43] },
      { tag: 'crypto', path: [-0.43] },
    ],
  },
  {
    kind: 'prices',
    id: 'deleveraging-2021',
    title: '19 May 2021: BTC -30 % within the day',
    date: '2021-05-19',
    shocks: [{ tag: 'crypto', path: [-0.3] }],
  },
  {
    kind: 'prices',
    id: 'luna-2022',
    title: 'May 2022, LUNA: altcoins -40 % in a week',
    date: '2022-05-07',
    shocks: [{ tag: 'alt', path: inSteps(-0.4, 7) }],
  },
  {
    kind: 'prices',
    id: 'ftx-2022',
    title: 'November 2022, FTX: BTC -25 % in 4 days',
    date: '2022-11-07',
    shocks: [{ tag: 'crypto', path: inSteps(-0.25, 4) }],
  },
  {
    kind: 'prices',
    id: 'franc-2015',
    title: '15 January 2015: EUR/CHF -20 % in one gap',
    date: '2015-01-15',
    shocks: [{ tag: 'EURCHF', path: [-0.2] }],
  },
  {
    kind: 'prices',
    id: 'ihsg-halts-2020',
    title: 'March 2020, Jakarta: -5 % and a halt on four days',
    date: '2020-03-12',
    shocks: [{ tag: 'IDX', path: compounded(-0.05, 4) }],
  },
  {
    kind: 'prices',
    id: 'ihsg-2025',
    title: '8 April 2025, Jakarta: -8 %',
    date: '2025-04-08',
    shocks: [{ tag: 'IDX', path: [-0.08] }],
  },
];

export const SYNTHETIC_SCENARIOS: readonly StressScenario[] = [
  {
    kind: 'correlation',
    id: 'correlations',
    title: 'All correlations 0.95, a day of 3 deviations',
    correlation: 0.95,
    deviations: 3,
  },
  { kind: 'liquidity', id: 'dry-book', title: 'Spreads x5, volume x0.2', spreadFactor: 5, volumeFactor: 0.2 },
  {
    kind: 'outage',
    id: 'outage',
    title: '30 minutes without the venue, 3 deviations against us',
    minutes: 30,
    deviations: 3,
  },
  {
    kind: 'funding',
    id: 'funding-paid-by-longs',
    title: 'Funding 0.3 % per 8 h for a day',
    rate: 0.003,
    payments: 3,
  },
  {
    kind: 'funding',
    id: 'funding-paid-by-shorts',
    title: 'Funding -0.3 % per 8 h for a day',
    rate: -0.003,
    payments: 3,
  },
  { kind: 'default', id: 'venue-default', title: 'The venue that holds most is gone', venue: null },
];

export const STRESS_SCENARIOS: readonly StressScenario[] = [...HISTORIC_SCENARIOS, ...SYNTHETIC_SCENARIOS];
