import { formatInstant, formatInterval } from '#base';
import type { AnswersByAsk, ExitAnswer } from '../runner/control-answers.ts';
import { amount } from '../runner/panel.ts';
import { deskLines } from './desk-lines.ts';
import { plainData } from './plain-text.ts';
import { paint, table } from './terminal.ts';

/** What `quorum status --show` can show of a running portfolio. */
export const SHOWN = ['desks', 'risk', 'learning', 'exits', 'metrics'] as const;
export type Shown = (typeof SHOWN)[number];

const BOLD = '1';
const shown = (value: number | null): string => (value === null ? '-' : String(Number(value.toPrecision(6))));
const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);

/** An answer as lines for people. */
export function shownLines<S extends Shown>(what: S, answer: AnswersByAsk[S]): string[] {
  const plain = plainData(answer);
  switch (what) {
    case 'desks':
      return deskLines(plain as AnswersByAsk['desks']);
    case 'risk':
      return riskLines(plain as AnswersByAsk['risk']);
    case 'learning':
      return learningLines(plain as AnswersByAsk['learning']);
    case 'exits':
      return exitLines(plain as AnswersByAsk['exits']);
    default:
      return metricLines(plain as AnswersByAsk['metrics']);
  }
}

function riskLines(risk: AnswersByAsk['risk']): string[] {
  const money = (text: string) => `${amount(text)} ${risk.currency}`;
  const { valueAtRisk, drawdown, day, breaker } = risk;
  const limits = risk.limits.map((l) => [
    `  ${l.name}`,
    l.desk ?? '(portfolio)',
    l.of ?? '',
    `${shown(l.used)} of ${shown(l.max)}`,
    percent(l.share),
  ]);
  return [
    `equity ${money(risk.equity)}  gross ${money(risk.gross)}  net ${money(risk.net)}  margin ${money(risk.margin)}`,
    `heat ${percent(risk.heat)}  VaR 95 % a day ${valueAtRisk.amount === null ? '-' : money(valueAtRisk.amount)}  drawdown ${percent(drawdown.now)} (worst ${percent(drawdown.max)})  lost today ${percent(day.loss)}`,
    `breaker ${breaker === null ? 'none' : `${breaker.state}${breaker.overridden ? ', overridden' : ''}`}`,
    paint(BOLD, 'limits'),
    ...table(limits, [3, 4]),
  ];
}

function learningLines({ desks }: AnswersByAsk['learning']): string[] {
  return desks.flatMap((desk) => [
    paint(
      BOLD,
      `${desk.desk}${desk.stopped ? ' (stopped)' : ''}: ${desk.edge.state} after ${desk.edge.record.n} trades`,
    ),
    ...table(
      desk.sources.map((s) => [
        `  ${s.source}`,
        `${s.n} settled`,
        `hits ${percent(s.hitRate)}`,
        `Brier ${shown(s.brier)}`,
        `weight ${shown(s.weight)}`,
      ]),
    ),
    ...table(
      desk.gates.map((g) => [
        `  ${g.gate}`,
        `objected to ${g.objected} of ${g.considered}`,
        `they would have made ${percent(g.wouldHave.meanReturn)} each (${g.wouldHave.n})`,
      ]),
    ),
  ]);
}

function exitLines({ positions, orders }: AnswersByAsk['exits']): string[] {
  const working = orders.map((o) => [
    `  ${o.clientId}`,
    o.reason,
    `${o.side} ${o.quantity}`,
    o.trigger ?? o.price ?? 'market',
    o.book,
  ]);
  return [
    ...(positions.length === 0 ? ['no position'] : positionLines(positions)),
    ...(working.length === 0 ? ['no working order'] : [paint(BOLD, 'working orders'), ...table(working)]),
  ];
}

function positionLines(positions: AnswersByAsk['exits']['positions']): string[] {
  return positions.flatMap((p) => [
    paint(BOLD, `${p.book}  ${p.side} ${p.quantity} @ ${shown(p.entryPrice)} now ${shown(p.price)}`),
    ...table(p.exits.map((e) => [`  ${e.exit}`, e.text, awayText(e), e.order ?? ''])),
  ]);
}

function awayText({ on, distance, armed }: ExitAnswer): string {
  if (distance === null) return '';
  const far =
    on === 'price'
      ? percent(distance)
      : on === 'time'
        ? formatInterval(Math.round(distance))
        : shown(distance);
  return `${far} away${armed ? '' : ', not armed'}`;
}

function metricLines(metrics: AnswersByAsk['metrics']): string[] {
  const { stages, life, feed, journal, process } = metrics;
  const stage = (name: keyof typeof stages) => {
    const { count, sum, max } = stages[name];
    return [
      `  ${name}`,
      `${count}`,
      `mean ${shown(count === 0 ? 0 : sum / count)} ms`,
      `max ${shown(max)} ms`,
    ];
  };
  return [
    `${formatInstant(metrics.at)}  ${life.bars} bars, ${life.slices} slices, ${life.orders} orders, ${life.fills} fills, ${life.trades} trades`,
    `feed ${feed.status}, newest event ${feed.ageMs === null ? '-' : `${feed.ageMs} ms ago`}, journal ${journal.entries} entries, ${journal.bytes} bytes`,
    `event loop p99 ${shown(process.eventLoopLag.p99)} ms, ${shown(process.rssBytes / (1 << 20))} MiB`,
    paint(BOLD, 'stages'),
    ...table([stage('event'), stage('decide'), stage('commit'), stage('turn')], [1, 2, 3]),
  ];
}
