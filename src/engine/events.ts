import type { Instant } from '#base';
import type { VenueCommand } from '#execution';
import type { BookId, ClientOrderId, VenueReport } from '#ledger';
import type { MarketEvent } from '#market';
import type { LimitChanges } from './portfolio-limits.ts';

interface Stamped {
  readonly at: Instant;
  readonly eventTime: Instant;
}

/** What a person or a program with rights may ask of a running portfolio. */
export type OperatorAction =
  /**
   * Entries may leave, or may not. With `desk` those of one desk alone; absent or null the whole portfolio's. An entry
   * leaves only while both its portfolio and its desk are started.
   */
  | { readonly action: 'start'; readonly desk?: string | null | undefined }
  | { readonly action: 'stop'; readonly desk?: string | null | undefined }
  /** Cancel one working order. */
  | { readonly action: 'cancel'; readonly clientId: ClientOrderId }
  /** Close one position and cancel its book's entries. */
  | { readonly action: 'close'; readonly book: BookId }
  /** Close everything and cancel every order. `desk` null is the whole portfolio. */
  | { readonly action: 'flatten'; readonly desk: string | null }
  /** Closes the breaker; with `desk` it resets the kill switch of that desk, or of that group of desks, instead. */
  | { readonly action: 'recover'; readonly confirm: string | null; readonly desk?: string | null | undefined }
  | { readonly action: 'override'; readonly enabled: boolean }
  /** Stops everything and closes it; with `desk` it trips the kill switch of that desk, or of that group, instead. */
  | { readonly action: 'kill'; readonly desk?: string | null | undefined }
  /** Lets a desk whose shadow window shows an edge again enter at exploration risk. */
  | { readonly action: 'resume-edge'; readonly desk: string }
  /**
   * Other limits of the portfolio from now on: a number takes the place of the configuration's, null gives that back.
   * The desks' own limits go on beside them, so a change can never let through what a desk refuses.
   */
  | { readonly action: 'limits'; readonly changes: LimitChanges }
  /**
   * One of a desk's references to models means another one from now on: `id`, or null for none. With `fault` it stays what it
   * was, and people hear why.
   */
  | {
      readonly action: 'model';
      readonly desk: string;
      readonly reference: string;
      readonly id: string | null;
      readonly fault?: string | undefined;
    }
  /** Nothing is done: an entry for the record, of something that happened beside the loop. */
  | { readonly action: 'record'; readonly subject: string; readonly detail: string }
  /** A person's word on a plan under review. */
  | {
      readonly action: 'review';
      readonly questionId: string;
      readonly verdict: 'allow' | 'refuse';
      /** Share of the size allowed, 0..1; a review may only reduce. */
      readonly share: number;
    };

export interface OperatorActed extends Stamped {
  readonly kind: 'operator-acted';
  readonly by: string;
  readonly reason: string;
  readonly act: OperatorAction;
}

/** Journal entry 0: what runs, on what seed, from which code and configuration. */
export interface RunStarted extends Stamped {
  readonly kind: 'run-started';
  readonly portfolio: string;
  readonly seed: string;
  readonly codeHash: string;
  readonly configurationHash: string;
}

/** The answer to a question; `answer` null means that nobody could answer (`error` says why). Untrusted data. */
export interface AnswerReceived extends Stamped {
  readonly kind: 'answer-received';
  readonly questionId: string;
  readonly answer: unknown;
  readonly error: string | null;
}

/** Time has reached what {@link Engine.nextDue} asked for. */
export interface TimerFired extends Stamped {
  readonly kind: 'timer-fired';
}

/** One call to a venue took this long. */
export interface CallMeasured extends Stamped {
  readonly kind: 'call-measured';
  readonly venue: string;
  readonly latencyMs: number;
}

/** A command could not be handed over, or nobody knows whether it was. */
export interface SendFailed extends Stamped {
  readonly kind: 'send-failed';
  readonly clientId: ClientOrderId;
  readonly outcome: 'not-sent' | 'unknown';
  readonly reason: string;
}

/** The process started again on this journal. Sends queries for every order whose fate is open. */
export interface RunResumed extends Stamped {
  readonly kind: 'run-resumed';
}

/** The one closed union: a new kind does not compile until the switch in engine.ts handles it. */
export type Event =
  | RunStarted
  | RunResumed
  | MarketEvent
  | VenueReport
  | AnswerReceived
  | TimerFired
  | CallMeasured
  | SendFailed
  | OperatorActed;

export type Severity = 'info' | 'warning' | 'critical';

export type Command =
  | VenueCommand
  | {
      readonly kind: 'ask-question';
      readonly questionId: string;
      readonly topic: string;
      readonly prompt: unknown;
      readonly expiresAt: Instant;
    }
  | {
      readonly kind: 'raise-alert';
      readonly severity: Severity;
      readonly key: string;
      readonly text: string;
    };

/** True for commands that can only shrink exposure: they may leave before the journal is written. */
export function onlyReduces(command: Command): boolean {
  return (
    command.kind === 'cancel-order' || (command.kind === 'submit-order' && command.order.reduceOnlyAtVenue)
  );
}
