import type { Instant } from '#base';
import {
  type FundingHistory,
  type FundingState,
  fundingState,
  newFundingHistory,
  takeFunding,
} from '#features';
import type { FundingDue, InstrumentId, ObservationPublished } from '#market';

const KEPT_PER_SUBJECT = 64;
/** Subjects kept; the one not heard of for the longest time goes first. */
const SUBJECTS_MAX = 4_096;

/**
 * Published observations by subject, and funding rates by instrument. As-of look-ups use the time of publication, never
 * the time it speaks of.
 */
export class Observations {
  private readonly bySubject = new Map<string, { value: number | string; publishedAt: Instant }[]>();

  private readonly fundings = new Map<InstrumentId, FundingHistory>();

  /** A rate that fell due. To be called for instruments that somebody has only. */
  fundingDue({ instrument, eventTime, rate }: FundingDue): void {
    let history = this.fundings.get(instrument);
    if (history === undefined) {
      history = newFundingHistory();
      this.fundings.set(instrument, history);
    }
    takeFunding(history, eventTime, rate);
  }

  funding(instrument: InstrumentId, intervalMs: number, at: Instant): FundingState | null {
    const history = this.fundings.get(instrument);
    return history === undefined ? null : fundingState(history, intervalMs, at);
  }

  publish(event: ObservationPublished): void {
    const list = this.bySubject.get(event.subject) ?? [];
    let i = list.length;
    while (i > 0 && list[i - 1]!.publishedAt > event.publishedAt) i -= 1;
    list.splice(i, 0, { value: event.value, publishedAt: event.publishedAt });
    if (list.length > KEPT_PER_SUBJECT) list.shift();
    this.bySubject.delete(event.subject);
    this.bySubject.set(event.subject, list);
    if (this.bySubject.size > SUBJECTS_MAX) this.bySubject.delete(this.bySubject.keys().next().value!);
  }

  /** The newest value published no later than `at`. */
  observation(subject: string, at: Instant): { value: number | string; publishedAt: Instant } | null {
    const list = this.bySubject.get(subject);
    if (list === undefined) return null;
    for (let i = list.length - 1; i >= 0; i--) if (list[i]!.publishedAt <= at) return list[i]!;
    return null;
  }
}
