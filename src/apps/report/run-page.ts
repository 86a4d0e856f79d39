import { DAY } from '#base';
import { drawdownEpisodes, monthlyReturns, rollingFigures, type Series, valueAt, windowFor } from '#research';
import { html, type Markup, NOTHING } from './markup.ts';
import { type Card, cards, dataTable, figure, type Page, pairsList, type Section } from './page.ts';
import type { RunSummary } from './read-run.ts';
import { costsChart, equityChart, exposureChart, fanChart, rollingChart } from './run-charts.ts';
import type { RunView } from './run-view.ts';
import { passportSection, walkForwardSection, worthSection } from './study-sections.ts';
import { dailyHistogram } from './trade-charts.ts';
import { breakdownSections, tradeSections, worstTrades } from './trade-sections.ts';
import { count, counted, dayOf, duration, minuteOf, money, number, percent } from './words.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const EPISODES = 5;

/** The page of a run. */
export function runPage(view: RunView): Page {
  const { summary } = view.run;
  const { walkForward, passport, worth } = view.others;
  const sections: (Section | null)[] = [
    { id: 'equity-section', title: 'Equity', body: equityBody(view) },
    { id: 'months', title: 'Months', body: monthsBody(view) },
    ...tradeSections(view),
    { id: 'exposure-section', title: 'Exposure', body: exposureBody(view) },
    { id: 'rolling-section', title: 'Over time', body: rollingBody(view) },
    { id: 'costs-section', title: 'Costs', body: costsBody(view) },
    ...breakdownSections(view),
    worstTrades(view),
    { id: 'luck', title: 'Luck', body: luckBody(view) },
    walkForward === null ? null : walkForwardSection(walkForward),
    passport === null ? null : passportSection(passport, summary.currency),
    worth === null ? null : worthSection(worth),
    { id: 'made-from', title: 'Made from', body: madeFrom(view) },
  ];
  return {
    title: titleOf(summary),
    lead: lead(view),
    sections: sections.filter((one) => one !== null),
  };
}

/** Desk and instruments: three names, and how many more. */
export function titleOf({ desk, instruments }: RunSummary): string {
  const names = instruments.map((id) => id.split('.')[0]!);
  const some =
    names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return `${desk} on ${some}`;
}

const lastOf = ({ values }: Series): number => values[values.length - 1]!;

/** The benchmark's return from the run's first to its last moment; null without one. */
function benchmarkReturn({ market, run }: RunView): number | null {
  return market.benchmark === null ? null : lastOf(market.benchmark) / run.summary.cashStart - 1;
}

function lead(view: RunView): Markup {
  const { summary } = view.run;
  const stamps = summary.stamps.map((stamp) => html`<span class="stamp">${stamp}</span>`);
  const notes = [
    ...summary.notes,
    ...view.others.notes,
    ...[view.market.note, view.traces.note].filter((one) => one !== null),
  ];
  return html`<p class="sub">${dayOf(summary.from)} to ${dayOf(summary.to)} · bars of ${summary.interval} · ${count(summary.bars)} bars · money in ${summary.currency}${summary.instruments.length > 4 ? ` · ${summary.instruments.join(', ')}` : ''}</p>
${stamps}
<p class="verdict">${verdict(view)}</p>
${notes.length === 0 ? NOTHING : html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${cards(headline(view))}`;
}

/** What became of the money, in plain words. */
export function verdict(view: RunView): string {
  const { summary } = view.run;
  const { cashStart, equityEnd, currency } = summary;
  const gained = equityEnd / cashStart - 1;
  const days = Math.max(1, Math.round((summary.to - summary.from) / DAY));
  const change =
    equityEnd === cashStart
      ? `${money(cashStart)} ${currency} stayed what they were`
      : `${money(cashStart)} ${currency} became ${money(equityEnd)}`;
  const held = benchmarkReturn(view);
  const beside =
    held === null
      ? ''
      : ` Equal parts of the instruments, bought at the start and held, would have made ${percent(held)}.`;
  return `In ${counted(days, 'day')} ${change}: ${percent(gained)} after all costs, and at worst ${percent(summary.maxDrawdown)} below the highest point.${beside}`;
}

function headline(view: RunView): Card[] {
  const { performance: p, run, sharpeInterval, timeHeld, held } = view;
  const { summary } = run;
  const gained = summary.equityEnd / summary.cashStart - 1;
  const beside = benchmarkReturn(view);
  const costs = summary.fees + summary.funding;
  const peak = held.gross.reduce(
    (most, value, i) => Math.max(most, value / (valueAt(run.equity, held.times[i]!) ?? summary.cashStart)),
    0,
  );
  return [
    {
      name: 'Return',
      figure: percent(gained),
      note: beside === null ? 'after all costs' : `after all costs; held instead: ${percent(beside)}`,
      tone: gained < 0 ? 'loss' : 'gain',
    },
    {
      name: 'Sharpe ratio, a year',
      figure: number(summary.sharpe),
      note:
        sharpeInterval === null
          ? `daily returns, ${summary.sharpePeriodsPerYear} a year; too few days for an interval`
          : `90 % of what ${counted(p.periods, 'daily return')} allow: ${number(sharpeInterval.low, 1)} to ${number(sharpeInterval.high, 1)}; ${summary.sharpePeriodsPerYear} days a year`,
    },
    {
      name: 'Largest drawdown',
      figure: percent(summary.maxDrawdown === 0 ? 0 : -summary.maxDrawdown),
      note: `below the highest equity before; ${counted(p.longestDrawdown, 'day')} was the longest wait`,
      tone: 'loss',
    },
    {
      name: 'Volatility, a year',
      figure: percent(p.volatility, 1),
      note: `of daily returns; Sortino ratio ${number(p.sortino)}`,
    },
    {
      name: 'Trades',
      figure: count(p.trades),
      note: p.winRate === null ? 'none was closed' : `${percent(p.winRate, 1)} gained`,
    },
    {
      name: 'Profit factor',
      figure: number(p.profitFactor),
      note:
        p.expectancy === null
          ? 'no closed trade'
          : `gross gains by gross losses; a trade made ${money(p.expectancy)} on average`,
    },
    {
      name: 'Fees and funding',
      figure: money(costs),
      note: `${percent(costs / summary.cashStart)} of the opening cash; turnover ${number(p.turnover, 0)} times the equity a year`,
    },
    {
      name: 'Time in the market',
      figure: percent(timeHeld, 1),
      note: `at most ${percent(peak, 0)} of the equity held at once`,
    },
  ];
}

function equityBody(view: RunView): Markup {
  const { run, market } = view;
  const { equity, summary } = run;
  const episodes = drawdownEpisodes(equity, EPISODES);
  const chart = equityChart(
    summary.desk,
    equity,
    market.benchmark,
    `${verdict(view)} The lower part shows how far the equity lay below its highest point so far.`,
  );
  return html`${figure(
    chart,
    `Above: equity in ${summary.currency}, open profit and loss included. Below: distance from the highest equity so far.${market.benchmark === null ? '' : ' The benchmark buys equal parts of all instruments at the first close, keeps them, and pays nothing.'}`,
  )}
${
  episodes.length === 0
    ? NOTHING
    : dataTable(
        'The deepest drawdowns',
        [
          { name: 'depth', isNumber: true },
          { name: 'from' },
          { name: 'lowest' },
          { name: 'recovered' },
          { name: 'lasted', isNumber: true },
        ],
        episodes.map(({ from, trough, to, depth }) => [
          percent(-depth),
          minuteOf(from),
          minuteOf(trough),
          to === null ? 'not yet' : minuteOf(to),
          duration((to ?? summary.to) - from),
        ]),
      )
}`;
}

/** Nine shades, from the worst to the best of a table; the middle one is near nothing. */
export function shade(value: number | null, most: number): string {
  if (value === null || most === 0) return '';
  const step = Math.max(-4, Math.min(4, Math.round((value / most) * 4.49)));
  return `h${4 + step}`;
}

function monthsBody({ run, daily }: RunView): Markup {
  const years = monthlyReturns(run.summary.cashStart, daily);
  const most = Math.max(0, ...years.flatMap(({ months }) => months.map((one) => Math.abs(one ?? 0))));
  const short = (value: number | null) => (value === null ? '' : percent(value, 1).replace('\u00a0%', ''));
  return dataTable(
    'Return of each calendar month in per cent, after costs. The first and the last month may be part months.',
    [{ name: 'year' }, ...MONTHS.map((name) => ({ name, isNumber: true })), { name: 'year', isNumber: true }],
    years.map(({ year, months, total }) => [
      String(year),
      ...months.map((one) => ({ text: short(one), className: shade(one, most) })),
      { text: short(total), className: total === null ? '' : total < 0 ? 'loss' : 'gain' },
    ]),
    { className: 'months' },
  );
}

function exposureBody(view: RunView): Markup {
  const { held, run, timeHeld } = view;
  const { equity } = run;
  const [from, to] = [equity.times[0]!, equity.times[equity.times.length - 1]!];
  if (held.times.length === 0 || !(to > from)) return html`<p>Nothing was ever held.</p>`;
  return html`<p>Something was held ${percent(timeHeld, 1)} of the time.</p>
${figure(
  exposureChart(
    held,
    equity,
    from,
    to,
    `Sizes of all positions as a share of the equity; something was held ${percent(timeHeld, 1)} of the time.`,
  ),
  'Positions are valued at the price of their last fill. 100 % is as much as the whole equity; more is borrowed.',
)}`;
}

function rollingBody({ returns, daily, run }: RunView): Markup {
  const window = returns === null ? null : windowFor(returns.length);
  const spread =
    returns === null || returns.length < 2
      ? null
      : dailyHistogram(returns, `How many days had which return, over ${counted(returns.length, 'day')}.`);
  const rolling =
    window === null || returns === null
      ? html`<p>The run is too short for rolling figures: they need 14 days.</p>`
      : figure(
          rollingChart(
            Array.from(daily.times),
            rollingFigures(returns, window, run.summary.sharpePeriodsPerYear),
            `Sharpe ratio and volatility of the ${window} days up to each day.`,
          ),
          `Of the ${window} days up to each day, ${run.summary.sharpePeriodsPerYear} days a year.`,
        );
  return html`${rolling}${spread === null ? NOTHING : figure(spread, 'Days by their return. Orange bars are losses.')}`;
}

function costsBody(view: RunView): Markup {
  const { costs, run, slippageRate } = view;
  const { summary, equity } = run;
  const [from, to] = [equity.times[0]!, equity.times[equity.times.length - 1]!];
  const slipped =
    costs.slippage === null ? 0 : (costs.slippage.values[costs.slippage.values.length - 1] ?? 0);
  const before = summary.equityEnd - summary.cashStart + summary.fees + summary.funding + slipped;
  const words = `Before costs the run made ${money(before)}; fees took ${money(summary.fees)}, funding ${money(summary.funding)}${slippageRate > 0 ? `, slippage about ${money(slipped)}` : ''}, which left ${money(summary.equityEnd - summary.cashStart)} ${summary.currency}.`;
  if (!(to > from) || run.fills.length === 0) return html`<p>Nothing was traded, so nothing was paid.</p>`;
  return html`<p>${words}</p>
${figure(
  costsChart(costs, from, to, words),
  `Funding is booked when a trade closes; below zero it was received. ${slippageRate > 0 ? `Slippage is reckoned from the run's fixed rate of ${number(slippageRate * 1e4, 1)} basis points on every taker fill, so it is part of the prices, not of the fees.` : 'The run had no fixed slippage.'}`,
)}`;
}

function luckBody({ monteCarlo, run, daily }: RunView): Markup {
  if (monteCarlo === null)
    return html`<p>Too few days, or no movement: the order of the days says nothing yet.</p>`;
  const { finalEquity, maxDrawdown, longestDrawdown, ruin, fan, paths, meanBlock } = monteCarlo;
  const words = `In 90 % of ${count(paths)} redrawn histories the account ended between ${money(finalEquity.p5)} and ${money(finalEquity.p95)} ${run.summary.currency}; ${percent(ruin, 1)} of them lost half of it on the way.`;
  return html`<p>${words}</p>
${figure(
  fanChart(fan, [run.summary.cashStart, ...Array.from(daily.values)], words),
  `Stationary block bootstrap of the daily returns (Politis and Romano 1994), mean block ${number(meanBlock, 0)} days, ${count(paths)} paths, always the same seed. It keeps the days and changes their order: it knows of no market that the run has not seen.`,
)}
${dataTable(
  'Quantiles over the paths',
  [
    { name: 'figure' },
    { name: '5 %', isNumber: true },
    { name: 'median', isNumber: true },
    { name: '95 %', isNumber: true },
  ],
  [
    ['final equity', money(finalEquity.p5), money(finalEquity.p50), money(finalEquity.p95)],
    ['largest drawdown', percent(maxDrawdown.p5), percent(maxDrawdown.p50), percent(maxDrawdown.p95)],
    [
      'longest drawdown, days',
      number(longestDrawdown.p5, 0),
      number(longestDrawdown.p50, 0),
      number(longestDrawdown.p95, 0),
    ],
  ],
)}`;
}

/** `name=value name=value`, which breaks between names. */
function parameterText(parameters: unknown): string {
  if (typeof parameters !== 'object' || parameters === null) return JSON.stringify(parameters ?? null);
  const all = Object.entries(parameters).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return all.length === 0 ? 'none' : all.join(' ');
}

function madeFrom({ run, traces }: RunView): Markup {
  const { summary } = run;
  const hashes = ['tapeHash', 'deskHash', 'codeHash', 'commandsHash', 'journalHash'] as const;
  return html`<p>The same inputs give the same run, and the same run gives this page byte for byte. <code>quorum replay</code> decides it again, <code>quorum why --order ID</code> tells more of any decision.</p>
${pairsList([
  ['parameters', html`<code>${parameterText(summary.parameters)}</code>`],
  ['instruments', summary.instruments.join(', ')],
  ['seed', summary.seed],
  [
    'decisions',
    { recorded: 'as the run recorded them', rebuilt: 'decided again, the run kept none', none: 'not known' }[
      traces.origin
    ],
  ],
  ...hashes.map((name) => [name, html`<code>${summary[name] ?? 'none'}</code>`] as const),
])}`;
}
