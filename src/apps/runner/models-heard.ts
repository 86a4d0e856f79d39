import type { Instant } from '#base';
import type { InstrumentId } from '#market';
import { BARRIER_MODEL_SOURCE, type Signal } from '#signals';
import type { ModelHeardNote } from './notes.ts';

/**
 * Whether the model of a desk speaks, as it last was put on record: a note is made where that changes, so that whoever reads the
 * journal knows at which bars a model was heard and not only that there were bars.
 */
export class ModelsHeard {
  /** By desk and instrument: why nothing is heard; null where the model speaks. */
  private readonly faults = new Map<string, string | null>();

  /** A note that stands in the journal. */
  told({ desk, instrument, fault }: ModelHeardNote): void {
    this.faults.set(`${desk} ${instrument}`, fault);
  }

  /** What is new in a decision's signals; null for nothing, and for a desk without a model. */
  heard(
    desk: string,
    instrument: InstrumentId,
    at: Instant,
    signals: readonly Signal[],
  ): ModelHeardNote | null {
    const said = signals.find(({ source }) => source === BARRIER_MODEL_SOURCE);
    if (said === undefined) return null;
    const { fault: why = null } = said.detail ?? {};
    const fault = why === null ? null : String(why);
    if (this.faults.get(`${desk} ${instrument}`) === fault) return null;
    const note: ModelHeardNote = { note: 'model-heard', at, desk, instrument, fault };
    this.told(note);
    return note;
  }
}
