import type { Instant } from '#base';
import type { Question, RemoteSource, Signal } from '#signals';
import { tally } from './counts.ts';
import type { DeskParts } from './desk.ts';
import type { Host } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';

type AnyRemote = RemoteSource<Record<string, string>, unknown>;

/** What sources have said of one instrument so far. Plain data. */
export interface Heard {
  /** Its place in the desk. */
  readonly instrument: number;
  readonly signals: Signal[];
  /** Questions still open: question id -> source index. */
  readonly questions: Record<string, number>;
}

/** A slice whose remote sources have not all answered. Plain data. */
interface Vote {
  readonly deadline: Instant;
  readonly open: Heard[];
}

/** A desk's remote sources: the whole slice waits for them, so that ideas with and without them are ranked together. */
export class RemoteVote {
  static readonly configuration = ['parts', 'instruments', 'host', 'hasRemote', 'longestMs'];
  /** Whether the desk has any. */
  readonly hasRemote: boolean;
  private readonly parts: DeskParts;
  private readonly instruments: readonly InstrumentRuntime[];
  private readonly host: Host;
  /** The longest that one of them may take. */
  private readonly longestMs: number;
  private vote: Vote | null = null;

  constructor(parts: DeskParts, instruments: readonly InstrumentRuntime[], host: Host) {
    this.parts = parts;
    this.instruments = instruments;
    this.host = host;
    this.hasRemote = parts.sources.some((s) => s.kind === 'remote');
    this.longestMs = Math.max(0, ...parts.sources.map((s) => (s.kind === 'remote' ? s.timeoutMs : 0)));
  }

  get isOpen(): boolean {
    return this.vote !== null;
  }

  /** When it is closed at the latest; Infinity while none is open. */
  get deadline(): Instant {
    return this.vote === null ? Infinity : this.vote.deadline;
  }

  /** Asks about instruments on which the local sources have spoken. True when nobody has to be waited for. */
  open(at: Instant, heard: readonly Pick<Heard, 'instrument' | 'signals'>[]): boolean {
    const open = heard.map((one) => ({ ...one, questions: this.ask(this.instruments[one.instrument]!) }));
    this.vote = { deadline: at + this.longestMs, open };
    return this.isAnswered(open);
  }

  private ask(instrument: InstrumentRuntime): Record<string, number> {
    const questions: Record<string, number> = {};
    this.parts.sources.forEach((source, i) => {
      const part = source as unknown as AnyRemote;
      if (part.kind !== 'remote') return;
      const values = instrument.sourceValues[i] as never;
      const question: Question | null = part.ask(instrument, values, instrument.sourceStates[i]);
      if (question === null) return;
      questions[this.host.ask(question, instrument.at + part.timeoutMs)] = i;
    });
    return questions;
  }

  /** Takes an answer: null when it is no answer to this vote, else whether everyone has answered now. */
  answer(questionId: string, answer: unknown): boolean | null {
    const { vote } = this;
    if (vote === null) return null;
    for (const { instrument: index, questions, signals } of vote.open) {
      const source = questions[questionId];
      if (source === undefined) continue;
      delete questions[questionId];
      const part = this.parts.sources[source] as unknown as AnyRemote;
      const instrument = this.instruments[index]!;
      const signal = answer === null ? null : part.read(instrument, answer, instrument.sourceStates[source]);
      if (signal !== null) {
        tally(this.host.counts.signalsBySource, part.name);
        signals.push(signal);
      }
      return this.isAnswered(vote.open);
    }
    return null;
  }

  private isAnswered(open: readonly Heard[]): boolean {
    return open.every(({ questions }) => Object.keys(questions).length === 0);
  }

  /** Ends the vote: answers that did not come are silence. In order of the desk's instruments. */
  close(): readonly Heard[] {
    const open = this.vote?.open ?? [];
    this.vote = null;
    return open.sort((a, b) => a.instrument - b.instrument);
  }
}
