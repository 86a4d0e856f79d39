import { html, type Markup, NOTHING } from './markup.ts';
import type { PassportFile, WalkForwardView, WorthFile } from './optional-files.ts';
import { dataTable, figure, type Page, pairsList, type Section } from './page.ts';
import type { Picture } from './picture.ts';
import { walkForwardChart, worthChart } from './study-charts.ts';
import { count, counted, dayOf, money, number, percent } from './words.ts';

/** What became of what was chosen, in plain words. */
function walkWords({ file }: WalkForwardView): string {
  const chosen = `Over ${counted(file.windows.length, 'window')}, parameters chosen on one stretch made ${percent(file.outOfSampleAnnual)} a year on the next one, and ${percent(file.inSampleAnnual)} where they were chosen`;
  const efficiency = file.efficiency === null ? '' : `: an efficiency of ${percent(file.efficiency, 0)}`;
  return `${chosen}${efficiency}. Joined, the tests made ${percent(file.return)} with a Sharpe ratio of ${number(file.sharpe)} and a largest drawdown of ${percent(file.maxDrawdown)}.`;
}

/** The page of a walk-forward alone. */
export function walkPage(view: WalkForwardView): Page {
  return {
    title: `Walk-forward of ${view.file.desk}`,
    lead: html`<p class="sub">${view.file.instruments.join(', ')}${view.file.currency === '' ? '' : ` · money in ${view.file.currency}`}</p>
${view.file.stamps.map((stamp) => html`<span class="stamp">${stamp}</span>`)}`,
    sections: [walkForwardSection(view)],
  };
}

/** Its plot. */
export const walkPicture = (view: WalkForwardView): Picture => ({
  title: `Walk-forward of ${view.file.desk}`,
  lines: [walkWords(view)],
  charts: view.file.windows.length === 0 ? [] : [walkForwardChart(view, '')],
});

export function walkForwardSection(view: WalkForwardView): Section {
  const { file } = view;
  const words = walkWords(view);
  const parameters = (one: WalkForwardView['file']['windows'][number]) =>
    one.parameters === null
      ? 'none had enough trades'
      : Object.entries(one.parameters)
          .map(([name, value]) => `${name}=${String(value)}`)
          .join(' ');
  return {
    id: 'walk-forward-section',
    title: 'Walk-forward',
    body: html`<p>${words}</p>
${
  file.windows.length === 0
    ? NOTHING
    : figure(
        walkForwardChart(view, words),
        `${view.equity.times.length > 1 ? 'Above: equity of the tests alone, one after the other; upright lines are the joints. ' : ''}${file.joints === '' ? '' : `At the joints: ${file.joints}.`}`,
      )
}
${dataTable(
  'The windows',
  [
    { name: 'window' },
    { name: 'trained from' },
    { name: 'tested from' },
    { name: 'to' },
    { name: 'in sample', isNumber: true },
    { name: 'out of sample', isNumber: true },
    { name: 'trades', isNumber: true },
    { name: 'chosen' },
  ],
  file.windows.map((one) => [
    String(one.window + 1),
    dayOf(one.train.from),
    dayOf(one.test.from),
    dayOf(one.test.to),
    percent(one.inSample?.return ?? null),
    {
      text: percent(one.outOfSample?.return ?? null),
      className: (one.outOfSample?.return ?? 0) < 0 ? 'loss' : 'gain',
    },
    number(one.outOfSample?.trades ?? null, 0),
    parameters(one),
  ]),
)}`,
  };
}

/** Bars of a promotion: see the promotion profiles. */
const DSR_LEAST = 0.95;
const PBO_MOST = 0.2;

export function passportSection(file: PassportFile, currency: string): Section {
  const { evidence: e, neighbourhood: near, capacity } = file;
  const dsr =
    e.dsr === null
      ? 'not known'
      : `${number(e.dsr, 3)}, ${e.dsr >= DSR_LEAST ? 'not below' : 'below'} the ${number(DSR_LEAST)} that a promotion asks for`;
  const pbo =
    e.pbo === null
      ? `not known${e.noPbo === null ? '' : `: ${e.noPbo}`}`
      : `${number(e.pbo, 3)}, ${e.pbo <= PBO_MOST ? 'not above' : 'above'} the ${number(PBO_MOST)} that a promotion allows`;
  const cash = (value: number | null) => (value === null ? 'not known' : `${money(value)} ${currency}`);
  return {
    id: 'passport',
    title: 'Passport',
    body: html`<p>${counted(e.trials, 'trial')} of this desk over these days ${e.trials === 1 ? 'is' : 'are'} on record; they count as ${e.effective === null ? 'an unknown number of' : e.effective < 10 ? number(e.effective, 1) : count(Math.round(e.effective))} different ones. What looks good may be the best of that many.</p>
${pairsList([
  ...(file.run === null || e.luck === null
    ? []
    : [
        [
          'Sharpe ratio',
          `${number(file.run.sharpe)} a year of ${count(file.run.periodsPerYear)} days; the best of so many without skill would show ${number(e.luck * Math.sqrt(file.run.periodsPerYear))}`,
        ] as const,
      ]),
  ['deflated Sharpe ratio', dsr],
  ['probability of overfitting (PBO)', pbo],
  ['chance that the Sharpe ratio is above 0', e.psr === null ? 'not known' : percent(e.psr, 1)],
  [
    'days until that is 95 %',
    e.trackRecord === null ? 'no length would do' : count(Math.ceil(e.trackRecord)),
  ],
  [
    'walk-forward',
    file.walkForward === null
      ? 'none on record'
      : `${file.walkForward.efficiency === null ? 'no efficiency: what was chosen did not gain in sample' : `efficiency ${percent(file.walkForward.efficiency, 0)}`}, ${file.walkForward.windows ?? 'unknown'} windows`,
  ],
  ...(near === null
    ? []
    : [
        [
          'neighbouring parameters',
          near.neighbours === 0
            ? 'none was tried'
            : `${counted(near.neighbours, 'trial')}, mean Sharpe ratio ${number(near.meanSharpe)}, worst ${number(near.worstSharpe)}, ${percent(near.gaining, 0)} above 0`,
        ] as const,
      ]),
  [
    'costs it stands',
    file.gainsUpTo === null
      ? 'it gains at none of the cost levels tried'
      : `gains up to ${number(file.gainsUpTo, 1)} times its fees and slippage`,
  ],
  ...(capacity === null
    ? []
    : [
        [
          'capacity',
          capacity.halfProfit === 0
            ? 'the run made no profit that more cash could carry'
            : `half of the profit is gone at ${cash(capacity.halfProfit)}, all of it at ${cash(capacity.noProfit)} (square-root impact)`,
        ] as const,
      ]),
])}
${
  file.costs.length === 0
    ? NOTHING
    : dataTable(
        'The run again with other costs',
        [
          { name: 'fees and slippage' },
          { name: 'return', isNumber: true },
          { name: 'Sharpe', isNumber: true },
          { name: 'drawdown', isNumber: true },
          { name: 'trades', isNumber: true },
        ],
        file.costs.map((one) => [
          `x${one.factor}`,
          percent(one.return),
          number(one.sharpe),
          percent(one.maxDrawdown),
          number(one.trades, 0),
        ]),
      )
}
${habitats(file.months.length > MONTHS_SHOWN ? `The newest ${MONTHS_SHOWN} of ${file.months.length} months it lived on` : 'Months it lived on', file.months.slice(-MONTHS_SHOWN))}
${habitats("Days by the market's volatility", file.volatility)}
${habitats('Regimes it lived on', file.regimes)}`,
  };
}

/** All of them lie in the calendar of the page. */
const MONTHS_SHOWN = 12;

function habitats(caption: string, all: PassportFile['months']): Markup {
  if (all.length === 0) return NOTHING;
  return dataTable(
    caption,
    [
      { name: '' },
      { name: 'days', isNumber: true },
      { name: 'return', isNumber: true },
      { name: 'Sharpe', isNumber: true },
      { name: 'trades', isNumber: true },
      { name: 'gained', isNumber: true },
      { name: 'net', isNumber: true },
    ].map((column, i) => (i === 0 ? { name: 'part' } : column)),
    all.map((one) => [
      one.name,
      count(one.days),
      percent(one.return),
      number(one.sharpe),
      count(one.trades),
      percent(one.winRate, 1),
      one.net === null ? '\u2013' : money(one.net),
    ]),
  );
}

const VERDICTS: Readonly<Record<string, string>> = {
  helps: 'helps',
  harms: 'harms',
  unproven: 'not proven',
  idle: 'made no difference',
};

export function worthSection(file: WorthFile): Section {
  const shown = file.parts.filter((part) => part.kind !== 'alone' && part.dailyReturn !== null);
  const points = (share: number) => number(share * 1e4, 2);
  return {
    id: 'worth-section',
    title: 'What each part is worth',
    body: html`<p>The run was played again without each part in turn. What is shown is the run with the part less the run without it, so what lies to the right of 0 speaks for the part.</p>
${
  shown.length === 0
    ? NOTHING
    : figure(
        worthChart(
          shown,
          `${counted(shown.length, 'part')} with the interval of what each adds to the mean daily return.`,
        ),
        `Mean difference of daily returns with its ${percent(file.confidence, 0)} interval. A line that crosses 0 proves nothing either way.`,
      )
}
${dataTable(
  'Every part. Returns and drawdowns are differences of the whole run.',
  [
    { name: 'part' },
    { name: 'kind' },
    { name: 'verdict' },
    { name: 'return', isNumber: true },
    { name: 'Sharpe', isNumber: true },
    { name: 'drawdown', isNumber: true },
    { name: 'trades', isNumber: true },
    { name: 'bp a day', isNumber: true },
    { name: 'interval', isNumber: true },
  ],
  file.parts.map((part) => [
    part.name,
    part.kind,
    VERDICTS[part.verdict ?? ''] ?? part.verdict ?? '',
    { text: percent(part.return), key: part.return },
    { text: number(part.sharpe), key: part.sharpe },
    { text: percent(part.maxDrawdown), key: part.maxDrawdown },
    { text: number(part.trades, 0), key: part.trades },
    part.dailyReturn === null
      ? '\u2013'
      : { text: points(part.dailyReturn.estimate), key: part.dailyReturn.estimate },
    part.dailyReturn === null
      ? '\u2013'
      : `${points(part.dailyReturn.low)} to ${points(part.dailyReturn.high)}`,
  ]),
  { sortable: true },
)}`,
  };
}
