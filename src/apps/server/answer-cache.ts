import type { RouteId } from '../contract/index.ts';

/** Routes whose answer is the same for everybody who may ask, so that many clients cost what one does. */
export const SHARED_ANSWERS: ReadonlySet<RouteId> = new Set<RouteId>([
  'tradingStatus',
  'performance',
  'balance',
  'sigmaTrades',
  'sigmaOpenTrades',
  'breakerStatus',
  'breakerIssues',
  'portfolios',
  'overview',
  'matrix',
  'equity',
  'instruments',
  'orderBook',
  'positions',
  'orders',
  'fills',
  'trades',
  'decisions',
  'signals',
  'sources',
  'gates',
  'risk',
  'breaker',
  'journalHead',
]);

/** An answer as it goes out. */
export interface Answered {
  readonly text: string;
  readonly etag: string;
}

const AGE_MS = 250;
const ENTRIES_MOST = 500;
const CHARACTERS_MOST = 512 * 1024;
/** Characters of all answers that are kept at once. */
const ALL_MOST = 16 * 1024 * 1024;

/** Answers of the last quarter of a second by what was asked. Anything that may change something empties it. */
export class AnswerCache {
  private readonly now: () => number;
  private readonly answers = new Map<string, { readonly at: number; readonly answer: Promise<Answered> }>();
  private generation = 0;
  private characters = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** The answer that was made a moment ago or is being made, else a new one. What fails is not kept. */
  async of(key: string, make: () => Promise<Answered>): Promise<Answered> {
    const now = this.now();
    const known = this.answers.get(key);
    if (known !== undefined && Math.abs(now - known.at) < AGE_MS) return known.answer;
    if (this.answers.size >= ENTRIES_MOST || this.characters >= ALL_MOST) this.clear();
    const answer = make();
    this.answers.set(key, { at: now, answer });
    const { generation } = this;
    try {
      const made = await answer;
      if (generation === this.generation) {
        if (made.text.length > CHARACTERS_MOST) this.answers.delete(key);
        else this.characters += made.text.length;
      }
      return made;
    } catch (error) {
      if (generation === this.generation) this.answers.delete(key);
      throw error;
    }
  }

  clear(): void {
    this.generation += 1;
    this.characters = 0;
    this.answers.clear();
  }
}
