import type { Habitat, Passport } from '#research';
import { paint, table } from '../cli/terminal.ts';

const MONTHS_SHOWN = 24;

/** A passport as people read it. */
export function passportLines(passport: Passport): string[] {
  const { desk, instruments, interval, from, to, days, stamps } = passport;
  return [
    paint(
      '1',
      `passport of ${desk} over ${instruments.slice(0, 4).join(', ')}${instruments.length > 4 ? ', ...' : ''}`,
    ),
    `${interval} bars, ${from} to ${to}, ${days} days; trial ${passport.trialHash.slice(0, 12)} of ${passport.registry.entries} entries`,
    ...stamps.map((stamp) => paint('33', `STAMP: ${stamp}`)),
    '',
    ...runLines(passport),
    '',
    ...evidenceLines(passport),
    '',
    ...robustLines(passport),
    '',
    ...habitatLines(passport),
  ];
}

const percent = (share: number | null, digits = 2): string => {
  if (share === null) return '-';
  const value = share * 100;
  const isTiny = value !== 0 && Math.abs(value) < 0.005;
  return `${isTiny ? Number(value.toPrecision(2)) : value.toFixed(digits)} %`;
};
const number = (value: number | null, digits = 3): string => (value === null ? '-' : value.toFixed(digits));
const whole = (value: number | null): string =>
  value === null ? '-' : Math.round(value).toLocaleString('en-US');

function runLines({ run, currency }: Passport): string[] {
  const factor = run.profitFactor === null && run.hasNoLoss ? 'no loss' : number(run.profitFactor, 2);
  return [
    `return ${percent(run.return)}   Sharpe ${number(run.sharpe)}   max drawdown ${percent(run.maxDrawdown)}`,
    `trades ${run.trades}   win rate ${percent(run.winRate, 1)}   profit factor ${factor}   expectancy ${number(run.expectancy, 2)} ${currency}`,
  ];
}

function evidenceLines({ evidence, family, run, walkForward }: Passport): string[] {
  const kinds = Object.entries(family.kinds).map(([kind, n]) => `${n} ${kind}`);
  const outside = [
    ...(family.elsewhere > 0 ? [`${family.elsewhere} of it on other days`] : []),
    ...(family.otherDesks > 0 ? [`${family.otherDesks} of other desks on these days`] : []),
  ];
  const rows = [
    ['trials behind it', String(evidence.trials), kinds.join(', ')],
    [
      'effective number',
      String(evidence.effective),
      `${evidence.distinct} different, ${evidence.idle} never moved${outside.length > 0 ? `; not counted: ${outside.join(', ')}` : ''}`,
    ],
    [
      'luck',
      number(evidence.luck * Math.sqrt(run.periodsPerYear), 2),
      'Sharpe a year that the best of so many shows without skill',
    ],
    ['PSR', number(evidence.psr), 'probability that its Sharpe ratio is above 0, had it been the only one'],
    mark(
      ['DSR', number(evidence.dsr), 'the same above the luck; 0.95 is needed'],
      (evidence.dsr ?? 0) >= 0.95,
    ),
    mark(
      [
        'PBO',
        number(evidence.pbo),
        evidence.noPbo ??
          `${evidence.pboStrategies} strategies, ${evidence.pboBlocks} blocks; at most 0.20 is needed`,
      ],
      evidence.pbo === null ? evidence.noPbo === 'nothing was chosen' : evidence.pbo <= 0.2,
    ),
    [
      'track record',
      whole(evidence.trackRecord),
      `days it takes to tell it from 0; from luck ${whole(evidence.trackRecordAgainstLuck)}; it has ${evidence.figures?.n ?? 0}`,
    ],
    [
      'walk-forward',
      number(walkForward?.efficiency ?? null, 2),
      walkForward === null
        ? 'none on record'
        : `${walkForward.windows ?? '-'} windows; least of ${walkForward.onRecord} on record`,
    ],
  ];
  return [paint('1', 'Luck'), ...table(rows, [1]).map((line) => `  ${line}`)];
}

const mark = ([name, value, text]: [string, string, string], isMet: boolean): string[] => [
  name,
  value,
  `${isMet ? '✓' : '✗'} ${text}`,
];

function robustLines({ neighbourhood, costs, gainsUpTo, capacity, currency }: Passport): string[] {
  const { neighbours, varied, meanSharpe, worstSharpe, sharpe, gaining } = neighbourhood;
  const around =
    neighbours === 0
      ? 'no neighbour of its parameters was tried'
      : `${neighbours} ${neighbours === 1 ? 'neighbour' : 'neighbours'} (${varied.map(({ name, values }) => `${name} at ${values}`).join(', ')}): Sharpe here ${number(sharpe, 2)}, there mean ${number(meanSharpe, 2)}, worst ${number(worstSharpe, 2)}, above 0 in ${percent(gaining, 0)}`;
  const rows = costs.map((one) => [
    `x${one.factor}`,
    percent(one.return),
    number(one.sharpe, 2),
    percent(one.maxDrawdown),
    String(one.trades),
    percent(one.fees),
  ]);
  const size = (value: number | null) => `${whole(value)} ${currency}`;
  return [
    paint('1', 'Sturdiness'),
    `  ${around}`,
    ...table(
      [['costs', 'return', 'Sharpe', 'drawdown', 'trades', 'fees/cash'], ...rows],
      [1, 2, 3, 4, 5],
    ).map((line) => `  ${line}`),
    gainsUpTo === null ? '  loses even with half of its costs' : `  gains with costs up to x${gainsUpTo}`,
    capacity.halfProfit === 0
      ? '  capacity: none, there is no profit that more cash could carry;'
      : `  capacity: impact takes half of the profit at ${size(capacity.halfProfit)}, all of it at ${size(capacity.noProfit)};`,
    `  a twentieth of the fills is above a tenth of the day's volume at ${size(capacity.tenthOfVolume)} (${capacity.measured} of ${capacity.fills} fills measured)`,
  ];
}

function habitatLines({ months, volatility, regimes, currency }: Passport): string[] {
  const shown = months.slice(-MONTHS_SHOWN);
  const rows = (parts: readonly Habitat[]) =>
    parts.map((one) => [
      one.name,
      one.days === 0 ? '-' : String(one.days),
      percent(one.return),
      number(one.sharpe, 2),
      String(one.trades),
      percent(one.winRate, 0),
      one.net.toFixed(2),
    ]);
  const head = (name: string) => [name, 'days', 'return', 'Sharpe', 'trades', 'wins', `net ${currency}`];
  const of = (name: string, parts: readonly Habitat[]) =>
    parts.length === 0
      ? []
      : table([head(name), ...rows(parts)], [1, 2, 3, 4, 5, 6]).map((line) => `  ${line}`);
  const more = months.length - shown.length;
  return [
    paint('1', 'Where it lived'),
    ...of('month', shown),
    ...(more > 0 ? [`  and ${more} earlier months: see passport.json`] : []),
    ...of('volatility', volatility),
    ...of('regime', regimes),
  ];
}
