import { formatInstant } from '#base';
import type { DecisionTrace } from '#engine';
import { groupTrades, quantileOf, type TradeFact, type TradeGroup, tradeReturn } from '#research';
import { leaningOf } from './entry-traces.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import { dataTable, figure, type Section } from './page.ts';
import { decisionOf, type RunView } from './run-view.ts';
import { DOTS_MAX, excursionChart, returnsHistogram, scatterChart } from './trade-charts.ts';
import { count, counted, duration, minuteOf, money, number, percent } from './words.ts';

const WORST = 8;

export function tradeSections(view: RunView): Section[] {
  const { trades } = view.run;
  if (trades.length === 0)
    return [{ id: 'trades', title: 'Trades', body: html`<p>No trade was closed.</p>` }];
  return [{ id: 'trades', title: 'Trades', body: tradesBody(view) }];
}

function tradesBody(view: RunView): Markup {
  const { run, market } = view;
  const { trades } = run;
  const results = trades.flatMap((trade) => tradeReturn(trade) ?? []).sort((a, b) => a - b);
  const holds = trades.map(({ openedAt, closedAt }) => closedAt - openedAt).sort((a, b) => a - b);
  const words = `Half of ${counted(trades.length, 'trade')} were held longer than ${duration(quantileOf(holds, 0.5))}; the middle one came to ${percent(quantileOf(results, 0.5))} of the amount held, the worst ${percent(results[0] ?? null)}, the best ${percent(results.at(-1) ?? null)}.`;
  const spread = returnsHistogram(trades, words);
  const thinned =
    trades.length > DOTS_MAX
      ? ` Every ${Math.ceil(trades.length / DOTS_MAX)}th of ${count(trades.length)} trades is drawn.`
      : '';
  const open = run.summary.unrealised;
  const rest =
    open === 0
      ? ''
      : ` What is still open at the end stands at ${money(open)} ${run.summary.currency}: it is in the equity, and no trade.`;
  return html`<p>${words}${rest}</p>
${results.length === 0 ? NOTHING : figure(scatterChart(trades, words), `Each mark is a closed trade.${thinned}`)}
${spread === null ? NOTHING : figure(spread, 'Trades by their result after fees and funding. Orange bars are losses.')}
${
  market.excursions.size === 0
    ? NOTHING
    : figure(
        excursionChart(
          trades,
          market.excursions,
          `How far the price went against and for the holder of ${counted(market.excursions.size, 'trade')}, of the entry price.`,
        ),
        `Of the entry price, on the bars the trade lived through, the whole of its first and last one included. A losing trade far up had been a gain.${thinned}`,
      )
}
${groupTable(
  'Trades by what closed them',
  'closed by',
  groupTrades(trades, ({ exitReason }) => [exitReason]),
)}
${groupTable(
  'Trades by direction',
  'direction',
  groupTrades(trades, ({ direction }) => [direction === 1 ? 'long' : 'short']),
)}`;
}

function groupTable(caption: string, name: string, groups: readonly TradeGroup[]): Markup {
  return dataTable(
    caption,
    [
      { name },
      { name: 'trades', isNumber: true },
      { name: 'gained', isNumber: true },
      { name: 'net', isNumber: true },
      { name: 'a trade', isNumber: true },
      { name: 'profit factor', isNumber: true },
      { name: 'mean hold', isNumber: true },
    ],
    groups.map((one) => [
      one.name,
      { text: count(one.trades), key: one.trades },
      { text: percent(one.winRate, 1), key: one.winRate },
      { text: money(one.net), key: one.net, className: one.net < 0 ? 'loss' : 'gain' },
      { text: money(one.mean), key: one.mean },
      { text: number(one.profitFactor), key: one.profitFactor },
      { text: duration(one.meanHoldMs), key: one.meanHoldMs },
    ]),
    { sortable: true },
  );
}

/** Regimes, instruments and sources. */
export function breakdownSections(view: RunView): Section[] {
  const { trades, summary } = view.run;
  const known = trades.filter((trade) => decisionOf(view, trade.id) !== null);
  const regimes = groupTrades(trades, (trade) => [decisionOf(view, trade.id)?.regime ?? 'not known']);
  const hasRegimes = known.some((trade) => decisionOf(view, trade.id)!.regime !== null);
  const objections = Object.entries({ ...summary.objectionsByGate, ...summary.refusalsByLimit }).sort(
    ([, a], [, b]) => b - a,
  );
  return [
    {
      id: 'regimes',
      title: 'Regimes',
      body: hasRegimes
        ? groupTable("Trades by the desk's regime at their entry", 'regime', regimes)
        : html`<p>${trades.length === 0 ? 'No trade was closed.' : known.length === 0 ? 'The decisions behind the trades are not known.' : 'The desk tells no regimes apart.'}</p>`,
    },
    {
      id: 'parts',
      title: 'Instruments and sources',
      body: html`${
        trades.length === 0
          ? NOTHING
          : groupTable(
              'Trades by instrument',
              'instrument',
              groupTrades(trades, ({ instrument }) => [instrument]),
            )
      }
${sourceTable(view, known)}
${
  objections.length === 0
    ? NOTHING
    : dataTable(
        'What held entries back',
        [{ name: 'gate or limit' }, { name: 'times', isNumber: true }],
        objections.map(([name, times]) => [name, { text: count(times), key: times }]),
        { sortable: true },
      )
}`,
    },
  ];
}

function sourceTable(view: RunView, known: readonly TradeFact[]): Markup {
  const counts = view.run.summary.signalsBySource;
  const names = Object.keys(counts).sort();
  if (names.length === 0) return html`<p>No source ever spoke.</p>`;
  const leanings = known.map((trade) => {
    const signals = decisionOf(view, trade.id)!.signals;
    return new Map(signals.map((one) => [one.source, leaningOf(one, trade.instrument) * trade.direction]));
  });
  return dataTable(
    `What each source said at the entries of ${counted(known.length, 'trade')}. Its trades are not its merit alone: quorum worth measures that.`,
    [
      { name: 'source' },
      { name: 'signals', isNumber: true },
      { name: 'spoke for', isNumber: true },
      { name: 'their net', isNumber: true },
      { name: 'gained', isNumber: true },
      { name: 'against or silent', isNumber: true },
      { name: 'net of those', isNumber: true },
    ],
    names.map((name) => {
      const agreed = known.filter((_, i) => (leanings[i]!.get(name) ?? 0) > 0);
      const others = known.filter((_, i) => !((leanings[i]!.get(name) ?? 0) > 0));
      const sum = (own: readonly TradeFact[]) => own.reduce((total, { net }) => total + net, 0);
      const won = agreed.filter(({ net }) => net > 0).length;
      return [
        name,
        { text: count(counts[name]!), key: counts[name]! },
        { text: count(agreed.length), key: agreed.length },
        { text: money(sum(agreed)), key: sum(agreed), className: sum(agreed) < 0 ? 'loss' : 'gain' },
        { text: agreed.length === 0 ? '\u2013' : percent(won / agreed.length, 1), key: won / agreed.length },
        { text: count(others.length), key: others.length },
        { text: money(sum(others)), key: sum(others) },
      ];
    }),
    { sortable: true },
  );
}

/** The trades that lost most, each with why it was entered and left. */
export function worstTrades(view: RunView): Section | null {
  const worst = [...view.run.trades].sort((a, b) => a.net - b.net || a.openedAt - b.openedAt).slice(0, WORST);
  const losers = worst.filter(({ net }) => net < 0);
  if (losers.length === 0) return null;
  return {
    id: 'worst',
    title: 'Worst trades',
    body: html`<p>The ${counted(losers.length, 'trade')} that lost most, with the reasons on record. Open one to read them.</p>
${losers.map((trade, i) => tradeDetails(view, trade, i === 0))}`,
  };
}

function tradeDetails(view: RunView, trade: TradeFact, isOpen: boolean): Markup {
  const { currency } = view.run.summary;
  const trace = decisionOf(view, trade.id);
  const entry = view.entries.get(trade.id);
  const found = view.market.excursions.get(trade.id);
  const exit = view.traces.exits.findLast(
    ({ at, instrument }) => instrument === trade.instrument && at >= trade.openedAt && at <= trade.closedAt,
  );
  const side = trade.direction === 1 ? 'long' : 'short';
  return html`<details${isOpen ? html` open` : NOTHING}><summary>${money(trade.net)} ${currency} · ${side} ${trade.instrument} · ${minuteOf(trade.openedAt)}</summary>
<ul>
<li>${String(trade.quantity)} ${side} at ${String(Number(trade.entryPrice.toPrecision(10)))}, left at ${String(Number(trade.exitPrice.toPrecision(10)))} ${trade.closedAt === trade.openedAt ? 'within the same bar' : `after ${duration(trade.closedAt - trade.openedAt)}`}: ${percent(tradeReturn(trade))} of the amount held. Price moves made ${money(trade.realised)}, fees took ${money(trade.fees)}, funding ${money(trade.funding)}.</li>
${found === undefined ? NOTHING : html`<li>At worst ${percent(found.adverse)} against its holder, at best ${percent(found.favourable)} in favour.</li>`}
${trace === null ? html`<li>Entered by ${entry === undefined ? 'an order that is not on record' : `order ${entry.orderId} (${entry.reason})`}; its decision is not on record.</li>` : decisionItems(trace, trade)}
<li>Left by ${trade.exitReason}${exit === undefined || exit.text === trade.exitReason ? '' : `: ${exit.text}`}.</li>
</ul>
${trace === null || entry === undefined ? NOTHING : html`<p class="faint">Decided at ${formatInstant(trace.at)}; <code>quorum why DIR --order ${entry.orderId}</code> tells all of it.</p>`}</details>`;
}

function decisionItems(trace: DecisionTrace, trade: TradeFact): Markup {
  const voices = trace.signals.map((signal) => {
    const leaning = leaningOf(signal, trade.instrument) * trade.direction;
    const stance = leaning > 0 ? 'for it' : leaning < 0 ? 'against it' : 'neither way';
    const said =
      signal.kind === 'score'
        ? `score ${number(signal.value, 3)}`
        : signal.kind === 'forecast'
          ? `${signal.claim} with probability ${number(signal.probability, 3)}`
          : `proposal with an edge of ${number(signal.expectedEdge)}`;
    return html`<li>${signal.source}: ${said}, ${stance}</li>`;
  });
  const cuts = (trace.size?.cuts ?? [])
    .filter(({ factor }) => factor !== 1)
    .map(({ by, factor }) => `${by} x${Number(factor.toPrecision(3))}`);
  return html`<li>Entered by the rule “${trace.rule}” with confidence ${number(trace.confidence, 3)}${trace.regime === null ? '' : `, in the regime ${trace.regime}`}.<ul>${voices}</ul></li>
${cuts.length === 0 ? NOTHING : html`<li>Its size was multiplied: ${cuts.join(', ')}.</li>`}`;
}
