import { formatInstant } from '#base';
import {
  type Check,
  type Explanation,
  OUTCOMES,
  objectionText,
  signalText,
  sizeText,
} from '../explain/explanation.ts';
import { paint } from './terminal.ts';

/** The explanation as lines for a terminal. */
export function explanationLines(e: Explanation): string[] {
  const lines: string[] = [];
  const head = `${e.time}  ${e.instrument}  desk ${e.desk}${e.regime === null ? '' : `  regime ${e.regime}`}`;
  lines.push(paint('1', e.shadow ? `${head}  (shadow)` : head));
  lines.push(`  ${OUTCOMES[e.outcome]}: ${e.action}, confidence ${e.confidence.toFixed(3)}; ${e.rule}`);
  lines.push('  sources');
  for (const { signal, words } of e.sources) {
    lines.push(`    ${signal.source}: ${signalText(signal)}`);
    for (const word of words) lines.push(`      ${word}`);
  }
  for (const name of e.silent) lines.push(`    ${name}: silent`);
  lines.push(...checkLines('gates', e.gates));
  lines.push(`  size: ${sizeText(e.size)}`);
  lines.push(...checkLines('limits', e.limits));
  const named = new Set([...e.gates, ...e.limits].map(({ name }) => name));
  const others = e.objections.filter(({ by }) => !named.has(by));
  if (others.length > 0)
    lines.push('  objections', ...others.map((one) => `    ${one.by}: ${objectionText(one)}`));
  lines.push(...orderLines(e));
  if (e.firstObjection !== null) {
    lines.push(paint('33', `  first objection: ${e.firstObjection.by}: ${e.firstObjection.reason}`));
    lines.push(
      paint('36', `  smallest change: ${e.smallestChange?.text ?? 'none: it is not a matter of a number'}`),
    );
  }
  return lines;
}

/** One line a check; those nobody asked share one. */
function checkLines(title: string, checks: readonly Check[]): string[] {
  if (checks.length === 0) return [];
  const asked = checks.filter(({ verdict }) => verdict !== 'not asked');
  const others = checks.filter(({ verdict }) => verdict === 'not asked').map(({ name }) => name);
  const rest = others.length > 0 ? [`    not asked: ${others.join(', ')}`] : [];
  return [`  ${title}`, ...asked.map(checkLine), ...rest];
}

const checkLine = ({ name, verdict, objection }: Check) =>
  `    ${name}: ${verdict}${objection === null ? '' : `: ${objectionText(objection)}`}`;

function orderLines({ orders }: Explanation): string[] {
  if (orders.length === 0) return ['  orders: none'];
  const lines = ['  orders'];
  for (const { id, fills } of orders) {
    if (fills.length === 0) lines.push(`    ${id}: no fill`);
    for (const { time, side, quantity, price, fee, reason } of fills) {
      lines.push(
        `    ${id}: ${side} ${quantity} at ${price}, fee ${fee}, ${formatInstant(time)} (${reason})`,
      );
    }
  }
  return lines;
}
