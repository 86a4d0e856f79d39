import type { Instant } from '#base';
import type { Session } from './session.ts';

/** Something that was published outside, on its way into the loop. It becomes known to desks when the loop takes it. */
export interface Publication {
  readonly source: string;
  readonly subject: string;
  readonly value: number | string;
  /** When it was so, by the source's clock. */
  readonly eventTime: Instant;
}

/** What a publisher may do to the portfolio it runs beside. */
export interface ObservationOutlet {
  /** Takes a publication into the loop, durably. Does nothing when the portfolio is ending. */
  readonly publish: (publication: Publication) => void;
  /** A notice in the journal, for consoles and for later; desks never see it. */
  readonly notice: (subject: string, detail: string) => void;
  /** A line for people and for the log. */
  readonly say: (line: string) => void;
}

/**
 * Brings observations into a running portfolio from beside its feed, such as news or the weather. It works in a process of its own
 * and calls the outlet when it has something; one that fails publishes nothing, and what rests on it grows stale.
 */
export interface ObservationPublisher {
  /** Who the notices are by. */
  readonly name: string;
  readonly start: (outlet: ObservationOutlet) => void;
  readonly close: () => Promise<void>;
}

export interface OutletSurroundings {
  readonly session: Session;
  /** Never before the engine's. */
  readonly now: () => Instant;
  /** The journal takes nothing more. */
  readonly isOver: () => boolean;
  /** A step of the loop threw: the portfolio must end. */
  readonly onBroken: (error: unknown) => void;
  readonly say: (line: string) => void;
}

const TEXT_MOST = 500;

/** The outlet of a publisher into a session: each call is one durable commit. */
export function outletInto(name: string, around: OutletSurroundings): ObservationOutlet {
  const { session, now, isOver, onBroken, say } = around;
  const stepped = (step: (at: Instant) => void) => {
    if (isOver()) return;
    try {
      step(now());
      session.commit();
    } catch (error) {
      onBroken(error);
    }
  };
  return {
    publish: (publication) =>
      stepped((at) => session.market({ kind: 'observation-published', at, publishedAt: at, ...publication })),
    notice: (subject, detail) =>
      stepped((at) => {
        const act = {
          action: 'record' as const,
          subject: subject.slice(0, TEXT_MOST),
          detail: detail.slice(0, TEXT_MOST),
        };
        session.happened({ kind: 'operator-acted', at, eventTime: at, by: name, reason: act.detail, act });
      }),
    say,
  };
}
