import type { Tape } from '#adapters';
import { formatDecimal, formatInstant, formatInterval } from '#base';
import { countsAsData } from '#engine';
import type { Instrument } from '#market';
import type { BacktestResult, EquityCurve } from '#research';
import { codeHash } from './code-hash.ts';
import { deskHash } from './load-desk.ts';
import { UNREGISTERED } from './registry/open-registry.ts';
import type { BacktestRequest, RecordedData } from './run-backtest.ts';
import type { Study } from './study.ts';

/** Reasons for which bars were refused when they were read or played, in order, with their number. */
function refusedBars(
  faults: ReadonlyMap<string, number>,
  inTheLoop: ReadonlyMap<string, number> = new Map(),
): [reason: string, n: number][] {
  const refused = new Map(inTheLoop);
  for (const [reason, n] of faults) {
    if (reason !== 'repaired') refused.set(reason, (refused.get(reason) ?? 0) + n);
  }
  return [...refused].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What a reader of a run's figures should know of its data. */
export function dataNotes(
  instruments: readonly Instrument[],
  { tape, faults }: RecordedData,
  reasons = refusedBars(faults),
): string[] {
  const notes: string[] = [];
  const perpetual = instruments.some((i) => i.kind.endsWith('perpetual'));
  if (perpetual && !tape.series.some((s) => s.kind === 'funding'))
    notes.push('perpetual contracts without funding: give --funding for a complete account');
  for (const [reason, n] of reasons)
    notes.push(`${n} bars were refused: ${reason} (quorum data check tells more)`);
  return notes;
}

/** What `summary.json` says of a run. */
export function summaryOf(
  request: BacktestRequest,
  study: Study,
  tape: Tape,
  faults: ReadonlyMap<string, number>,
  result: BacktestResult,
  curve: EquityCurve,
  journalHash: string | null,
): Record<string, unknown> {
  const { engine } = result;
  const scale = study.definition.baseMinorScale;
  const money = (minor: number) => formatDecimal(minor, scale);
  const books = engine.real.ledger.summary(result.to);
  const reasons = refusedBars(faults, engine.counts.barsRefused);
  const notes = dataNotes(study.instruments, { tape, faults }, reasons);
  for (const [source, n] of engine.counts.malformedBySource)
    notes.push(
      `source ${source} gave ${n} malformed signals, which were dropped; --trace all names the fault`,
    );
  for (const [reason, n] of engine.counts.ordersRejected)
    notes.push(`the venue rejected ${n} orders: ${reason}`);
  for (const { name, cause } of engine.kills.states)
    if (cause !== null)
      notes.push(
        `kill switch ${name} tripped at ${formatInstant(cause.at)} (${cause.text}): nothing was entered after`,
      );
  if (!result.finished) notes.push('interrupted: figures are of the part that ran');
  const balance = [...engine.real.ledger.trialBalance()].map(([code, sum]) => [code, String(sum)]);
  return {
    schemaVersion: 1,
    desk: request.desk.definition.name,
    parameters: request.desk.parameters,
    instruments: study.instruments.map((i) => i.id),
    interval: formatInterval(study.intervalMs),
    from: result.from,
    to: result.to,
    currency: study.base,
    stamps: [...(request.desk.parts.stamps ?? []), ...(request.registry === null ? [UNREGISTERED] : [])],
    notes,
    ...countsAsData(engine.counts),
    barsRefused: Object.fromEntries(reasons),
    barsRepaired: faults.get('repaired') ?? 0,
    cashStart: money(books.cashStart),
    equityEnd: money(books.equity),
    realised: money(books.realised),
    unrealised: money(books.unrealised),
    fees: money(books.fees),
    funding: money(books.funding),
    booksSum: Object.fromEntries(balance),
    maxDrawdown: curve.maxDrawdown,
    sharpe: curve.sharpe(study.definition.cash, 365),
    sharpePeriodsPerYear: 365,
    seed: request.seed,
    tapeHash: tape.hash,
    codeHash: codeHash(),
    deskHash: deskHash(request.desk),
    commands: result.commands,
    commandsHash: result.commandsHash,
    journalHash,
  };
}
