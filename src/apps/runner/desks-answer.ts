import { DAY, formatDecimal, type Instant, stepsToNumber, stepsToText } from '#base';
import type { DeskRuntime, Engine, InstrumentRuntime } from '#engine';
import type { Decision } from '#ensemble';
import type { LocalSource, ModelReport, Signal } from '#signals';
import type { BookFigures } from './book-watch.ts';
import type { BookAnswer, DesksAnswer, DriftAnswer, ModelAnswer, VerdictAnswer } from './control-answers.ts';
import type { Session } from './session.ts';

/** How every desk stands in every instrument it trades. `now`: what ages are counted to. */
export function desksAnswer(session: Session, now: Instant): DesksAnswer {
  const { engine, setup, books } = session;
  return {
    at: now,
    currency: engine.definition.base,
    running: engine.running,
    killSwitches: engine.kills.states.map(({ name, kind, desks, cause, resetAt }) => ({
      name,
      kind,
      desks,
      trigger: cause?.trigger ?? null,
      since: cause?.at ?? null,
      text: cause?.text ?? null,
      measured: cause?.measured ?? null,
      needed: cause?.needed ?? null,
      resetAt,
    })),
    books: engine.desks.flatMap((desk, i) =>
      desk.instruments
        .filter(({ traded }) => traded)
        .map((instrument) =>
          bookAnswer(
            engine,
            desk,
            instrument,
            setup.request.portfolio.desks[i]?.desk ?? desk.name,
            books.figures.get(instrument.book)!,
            books.decisions.get(instrument.book) ?? null,
            now,
          ),
        ),
    ),
  };
}

function bookAnswer(
  engine: Engine,
  desk: DeskRuntime,
  runtime: InstrumentRuntime,
  family: string,
  figures: BookFigures,
  decision: Decision | null,
  now: Instant,
): BookAnswer {
  const { parts, name } = desk;
  const { instrument, lastClose, intervalMs, count } = runtime;
  const money = (minor: number) => formatDecimal(minor, engine.definition.baseMinorScale);
  const toMoney = (minor: number) => engine.toMoney(minor);
  // after midnight nothing was made before the first look
  const today = Math.floor(now / DAY) > figures.day ? 0 : figures.made - figures.dayStart;
  const report = reportOf(desk, runtime);
  return {
    book: runtime.book,
    desk: name,
    family,
    instrument: instrument.id,
    underlying: instrument.underlying,
    intervalMs,
    stopped: engine.desksStopped.has(name),
    bars: count,
    warmUpBars: parts.warmUpBars,
    lastBarAt: lastClose < 0 ? null : lastClose,
    stamps: [...(parts.stamps ?? [])],
    position: positionOf(engine, runtime),
    today: money(today),
    made: money(figures.made),
    trades: { won: figures.won, lost: figures.lost, even: figures.even },
    profit: toMoney(figures.profit),
    loss: toMoney(figures.loss),
    drawdown: figures.fall,
    drawdownMax: figures.fallMost,
    drawdownLimit: parts.killSwitch?.rules.drawdownMax ?? null,
    decision: decision === null ? null : decisionAnswer(desk, decision),
    model: report === null ? null : modelAnswer(report, now),
  };
}

function positionOf(engine: Engine, { book, instrument }: InstrumentRuntime): BookAnswer['position'] {
  const { ledger } = engine.real;
  const position = ledger.position(book);
  if (position === undefined || position.lots === 0) return null;
  const mark = ledger.lastMark(position.instrument);
  return {
    side: position.lots > 0 ? 'long' : 'short',
    quantity: stepsToText(Math.abs(position.lots), instrument.lot),
    entryPrice: position.entryPrice,
    price: mark === null ? null : stepsToNumber(mark.ticks, instrument.tick),
    unrealised: formatDecimal(ledger.unrealised(book), instrument.minorScale),
  };
}

/** What each source, gate and rule said last; who was not asked is named as well. */
function decisionAnswer({ parts }: DeskRuntime, decision: Decision): NonNullable<BookAnswer['decision']> {
  const { at, action, wanted, confidence, signals, objections } = decision;
  const objects = (by: string) => objections.find((one) => one.by === by) ?? null;
  const said = new Map(signals.map((signal) => [signal.source, signal]));
  const verdicts: VerdictAnswer[] = [];
  const tell = (by: string, kind: VerdictAnswer['kind'], otherwise: VerdictAnswer['verdict']) => {
    const objection = objects(by);
    const { reason = null, measured = null, needed = null, relation = null } = objection ?? {};
    const signal = said.get(by);
    verdicts.push({
      by,
      kind,
      verdict: objection === null ? otherwise : 'objects',
      value: signal === undefined ? null : saidBy(signal),
      reason,
      measured,
      needed,
      relation,
    });
  };
  const own = parts.sources.map(({ name }) => name);
  const gates = (parts.gates ?? []).map(({ name }) => name);
  // one who gives no direction leaves the others without a question
  const leaderless =
    wanted === null && objections.some(({ by, measured }) => by === own[0] && measured === 0);
  for (const name of own)
    tell(name, 'source', !said.has(name) ? 'silent' : leaderless ? 'not-asked' : 'passes');
  for (const name of gates) tell(name, 'gate', wanted === null ? 'not-asked' : 'passes');
  for (const { by } of objections) if (!verdicts.some((one) => one.by === by)) tell(by, 'rule', 'passes');
  return { at, action, wanted, confidence, verdicts };
}

function saidBy(signal: Signal): number | null {
  return signal.kind === 'score' ? signal.value : signal.kind === 'forecast' ? signal.probability : null;
}

/** The report of the first source that rests on a model. */
function reportOf({ parts }: DeskRuntime, { sourceStates }: InstrumentRuntime): ModelReport | null {
  for (const [i, part] of parts.sources.entries()) {
    if (part.kind !== 'local') continue;
    const { report } = part as unknown as LocalSource<Record<string, string>, object>;
    if (report !== undefined) return report(sourceStates[i] as object);
  }
  return null;
}

function modelAnswer({ parity, trainedTo, ...report }: ModelReport, now: Instant): ModelAnswer {
  return {
    ...report,
    trainedTo,
    ageMs: trainedTo === null ? null : now - trainedTo,
    parity: parity === null ? null : { bars: parity.bars, meanBp: parity.meanBp, maxBp: parity.maxBp },
  };
}

/** How far a desk's inputs lie from what another program sends of the same bars; null for a desk that nobody knows. */
export function driftAnswer({ engine }: Session, name: string, now: Instant): DriftAnswer | null {
  const desk = engine.desks.find((one) => one.name === name);
  if (desk === undefined) return null;
  return {
    at: now,
    desk: name,
    items: desk.instruments
      .filter(({ traded }) => traded)
      .map((runtime) => {
        const report = reportOf(desk, runtime);
        return {
          instrument: runtime.instrument.id,
          intervalMs: runtime.intervalMs,
          model: report === null ? null : modelAnswer(report, now),
          parity: report?.parity ?? null,
        };
      }),
  };
}
