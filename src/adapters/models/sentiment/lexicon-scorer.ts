import { LEXICON_VERSION, NEGATIONS, NEGATIVE_WORDS, POSITIVE_WORDS } from './finance-lexicon.ts';
import { roundedScore, type SentimentScorer } from './sentiment-scorer.ts';

/** A negation reaches so many words. */
const REACH = 3;
/** What is not bad is not as good as what is good. */
const NEGATED = -0.5;
/** Words without which a text is not sure: one good word alone gives a third, not one. */
const RESERVE = 2;
/** Words of one text that are looked at. */
const WORDS_MOST = 1_000;

interface Entries {
  readonly whole: ReadonlyMap<string, number>;
  /** Beginnings of words, the longest first. */
  readonly beginnings: readonly (readonly [beginning: string, weight: number])[];
}

function entriesOf(lists: readonly (readonly [words: readonly string[], weight: number])[]): Entries {
  const whole = new Map<string, number>();
  const beginnings: [string, number][] = [];
  for (const [words, weight] of lists) {
    for (const word of words) {
      if (word.endsWith('*')) beginnings.push([word.slice(0, -1), weight]);
      else whole.set(word, weight);
    }
  }
  return { whole, beginnings: beginnings.sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1)) };
}

const ENTRIES = entriesOf([
  [POSITIVE_WORDS, 1],
  [NEGATIVE_WORDS, -1],
]);

/**
 * Score of a text by a list of words of financial news: (good - bad) / (good + bad + 2), where a negation up to three words
 * before a word halves it and turns it round. A coarse stand-in where there is no model; -1 < score < 1, 0 without such words.
 */
export function lexiconScore(text: string): number {
  const words = wordsOf(text);
  let good = 0;
  let bad = 0;
  let negatedUntil = -1;
  for (const [i, word] of words.entries()) {
    const weight = weightOf(word);
    const value = i <= negatedUntil ? weight * NEGATED : weight;
    if (value > 0) good += value;
    else bad -= value;
    if (NEGATIONS.has(word)) negatedUntil = i + REACH;
    // a sentence ends what began in it
    else if (word === '.') negatedUntil = -1;
  }
  return roundedScore((good - bad) / (good + bad + RESERVE));
}

function wordsOf(text: string): string[] {
  const found = text
    .toLowerCase()
    .replaceAll('\u2019', "'")
    .match(/[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*|[.!?;]/gu);
  return (found ?? []).slice(0, WORDS_MOST).map((word) => (/^[.!?;]$/.test(word) ? '.' : word));
}

function weightOf(word: string): number {
  const whole = ENTRIES.whole.get(word);
  if (whole !== undefined) return whole;
  return ENTRIES.beginnings.find(([beginning]) => word.startsWith(beginning))?.[1] ?? 0;
}

/** The stand-in for {@link FinbertScorer}: everything scored by it is marked `lexicon`. */
export class LexiconScorer implements SentimentScorer {
  readonly name = 'lexicon';
  readonly version = LEXICON_VERSION;

  async score(texts: readonly string[]): Promise<number[]> {
    return texts.map(lexiconScore);
  }

  async close(): Promise<void> {}
}
