import { DAY, formatInstant, formatInterval } from '#base';
import type { BookAnswer, DesksAnswer, VerdictAnswer } from '../runner/control-answers.ts';
import { amount } from '../runner/panel.ts';
import { paint, table } from './terminal.ts';

const BOLD = '1';
const RED = '31';

const shown = (value: number | null): string => (value === null ? '-' : String(Number(value.toPrecision(6))));
const bp = (value: number | null): string => (value === null ? '-' : `${value.toFixed(4)} bp`);

/** How every desk stands: its bars, its model, and who let its newest decision pass and who did not. */
export function deskLines({ books, killSwitches, currency, running }: DesksAnswer): string[] {
  const tripped = killSwitches.filter(({ since }) => since !== null);
  return [
    ...(running ? [] : [paint(RED, 'entries are stopped: quorum operator start')]),
    ...tripped.map(
      ({ name, since, text, measured, needed }) =>
        `${paint(RED, `kill switch ${name}`)} since ${formatInstant(since!)}: ${text}${
          measured === null ? '' : ` (${shown(measured)}${needed === null ? '' : `, limit ${shown(needed)}`})`
        }`,
    ),
    ...books.flatMap((book) => bookLines(book, currency)),
  ];
}

function bookLines(book: BookAnswer, currency: string): string[] {
  const { desk, instrument, intervalMs, position, made, trades, stamps, stopped } = book;
  const held = position === null ? 'flat' : `${position.side} ${position.quantity}`;
  const closed = trades.won + trades.lost + trades.even;
  return [
    `${paint(BOLD, desk)} on ${instrument} ${formatInterval(intervalMs)}, ${held}, ${amount(made)} ${currency} after ${closed} trades`,
    ...[stopped ? 'its entries are stopped' : null, ...stamps].flatMap((one) =>
      one === null ? [] : [`  ${one}`],
    ),
    `  bars ${barsText(book)}`,
    ...modelLines(book),
    ...decisionLines(book),
  ];
}

function barsText({ bars, warmUpBars, lastBarAt }: BookAnswer): string {
  const newest = lastBarAt === null ? '' : `, the newest ended ${formatInstant(lastBarAt)}`;
  return bars < warmUpBars ? `${bars} of ${warmUpBars} of the warm-up${newest}` : `${bars}${newest}`;
}

function modelLines({ model }: BookAnswer): string[] {
  if (model === null) return [];
  const { id, name, trainedTo, fault, ageMs, rows, clippedShare, parity } = model;
  if (id === null) return [`  model ${paint(RED, fault ?? 'none')}: quorum models list`];
  const age =
    ageMs === null || trainedTo === null
      ? ''
      : `, trained on bars up to ${formatInstant(trainedTo)}${ageMs < 0 ? paint(RED, ', which are still to come') : ` (${(ageMs / DAY).toFixed(1)} days ago)`}`;
  const chart =
    parity === null
      ? []
      : [
          parity.meanBp === null
            ? '  chart script: parity UNKNOWN, nothing came of it'
            : `  chart script: ${bp(parity.meanBp)} a bar over ${parity.bars} bars, ${bp(parity.maxBp)} at most`,
        ];
  return [
    `  model ${name} ${id}${age}${fault === null ? '' : paint(RED, ` ${fault}`)}`,
    ...(rows === 0
      ? []
      : [`  ${rows} rows asked, ${(clippedShare * 100).toFixed(1)} % of the newest cut off`]),
    ...chart,
  ];
}

function decisionLines({ decision }: BookAnswer): string[] {
  if (decision === null) return ['  no decision yet'];
  const { at, action, wanted, verdicts } = decision;
  return [
    `  ${formatInstant(at)} ${action}${wanted === null || wanted === action ? '' : `, wanted ${wanted}`}`,
    ...table(verdicts.map(verdictRow), [1]),
  ];
}

function verdictRow({ by, verdict, value, reason, measured, needed, relation }: VerdictAnswer): string[] {
  const figures =
    measured === null
      ? ''
      : ` (${shown(measured)}, needed ${relation ?? ''}${relation === null ? '' : ' '}${shown(needed)})`;
  const word = verdict === 'objects' ? paint(RED, verdict) : verdict === 'not-asked' ? 'not asked' : verdict;
  return [`    ${by}`, shown(value), word, reason === null ? '' : `${reason}${figures}`];
}
