import { cutText } from '#adapters';
import { formatInstant } from '#base';
import type { TraceLine } from '#engine';
import { plain } from '../cli/plain-text.ts';
import { amount, statusLine } from '../runner/panel.ts';
import { markOf } from '../runner/run-mode.ts';
import type { Status } from '../runner/status.ts';

// Answers are sent as plain text, without markup: nothing in them can be taken for any.

const TEXT_MOST = 3_900;

export const bounded = (text: string): string => cutText(text, TEXT_MOST);

const percent = (fraction: number): string => `${fraction > 0 ? '+' : ''}${(fraction * 100).toFixed(2)} %`;
const price = (value: number | null): string => (value === null ? '-' : String(Number(value.toPrecision(8))));
const headOf = (status: Status): string =>
  `${markOf(status.mode as Parameters<typeof markOf>[0])}${status.portfolio}`;

export function statusText(status: Status): string {
  const { running, feed, breaker, workingOrders, at, decisions } = status;
  const lines = [
    `${headOf(status)} at ${formatInstant(at)}`,
    statusLine(status),
    `entries ${running ? 'allowed' : 'STOPPED'}, feed ${feed}, ${workingOrders} working orders`,
  ];
  if (breaker !== null && breaker.causes.length > 0)
    lines.push(`breaker because of ${breaker.causes.join(', ')}`);
  const last = decisions.at(-1);
  if (last !== undefined)
    lines.push(
      `last decision: ${last.instrument} ${last.action} ${last.outcome}${last.why === '' ? '' : `, ${last.why}`}`,
    );
  return lines.map(plain).join('\n');
}

export function positionsText(status: Status): string {
  const { positions, workingOrders, currency } = status;
  if (positions.length === 0) return `${headOf(status)}: no position, ${workingOrders} working orders`;
  const lines = positions.map((p) => {
    const exits = [
      p.stop === null ? 'no stop' : `stop ${price(p.stop)} (${percent(p.stopDistance ?? 0)} away)`,
      ...(p.target === null ? [] : [`target ${price(p.target)} (${percent(p.targetDistance ?? 0)} away)`]),
    ];
    return `${p.instrument} ${p.side} ${p.quantity} @ ${price(p.entryPrice)}, now ${price(p.price)}: ${amount(p.unrealised)} ${currency}, ${exits.join(', ')}`;
  });
  return [`${headOf(status)}: ${positions.length} positions, ${workingOrders} working orders`, ...lines]
    .map(plain)
    .join('\n');
}

export function pnlText(status: Status): string {
  const { currency, equity, dayChange, maxDrawdown, realised, unrealised, fees, funding, counts } = status;
  return [
    headOf(status),
    `equity ${amount(equity)} ${currency}, today ${percent(dayChange)}, largest drawdown ${percent(-maxDrawdown)}`,
    `realised ${amount(realised)}, unrealised ${amount(unrealised)}, fees ${amount(fees)}, funding ${amount(funding)}`,
    `${String(counts.trades)} trades`,
  ]
    .map(plain)
    .join('\n');
}

const REASONS_MOST = 3;

/** The newest lines about an instrument, newest first. */
export function whyText(portfolio: string, instrument: string, lines: readonly TraceLine[]): string {
  if (lines.length === 0) return `${portfolio}: nothing is remembered about ${instrument}`;
  const told = [...lines].reverse().map((line) => {
    const time = formatInstant(line.at);
    if (line.type !== 'decision') return `${time} ${line.type}: ${line.text}`;
    const { desk, action, confidence, outcome, objections, shadow } = line;
    const head = `${time} ${desk}${shadow ? ' (shadow)' : ''}: ${action} at ${confidence.toFixed(2)}, ${outcome}`;
    const reasons = objections.slice(0, REASONS_MOST).map((o) => `  ${o.by}: ${o.reason}`);
    const more = objections.length - reasons.length;
    return [head, ...reasons, ...(more > 0 ? [`  and ${more} more`] : [])].map(plain).join('\n');
  });
  return [`${portfolio}, ${instrument}:`, ...told].join('\n');
}
