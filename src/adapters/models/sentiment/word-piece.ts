import { InputError } from '#base';

/** How texts are cut into pieces of words. */
export interface WordPieceOptions {
  /** Lower case without accents, as models called "uncased" were trained. */
  readonly uncased?: boolean;
  readonly unknown?: string;
  /** What a piece inside a word begins with. */
  readonly inside?: string;
  /** Longer words are unknown as a whole. */
  readonly wordMost?: number;
}

/** Longest input of BERT, both marks included. */
export const TOKENS_MOST = 512;

const WORD_MOST = 100;

/** Symbols of ASCII count as punctuation whatever Unicode calls them. */
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/u;
/** The blocks of CJK ideographs that BERT sets apart, each a word of its own. */
const IDEOGRAPH =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/u;

/**
 * The tokenizer of BERT: words and punctuation apart, words as the longest pieces of a vocabulary, left to right (Devlin et al.
 * 2018, reference implementation `tokenization.py`). Names of marks inside a text, such as `[SEP]`, are text like any other: a
 * text cannot reach beyond itself.
 */
export class WordPiece {
  private readonly vocabulary: ReadonlyMap<string, number>;
  private readonly uncased: boolean;
  private readonly inside: string;
  private readonly wordMost: number;
  readonly unknownId: number;
  readonly startId: number;
  readonly endId: number;
  readonly padId: number;

  /** Throws {@link InputError} when the vocabulary lacks one of the marks `[CLS]`, `[SEP]`, `[PAD]` and that of unknown words. */
  constructor(vocabulary: ReadonlyMap<string, number>, options: WordPieceOptions = {}) {
    const { uncased = true, unknown = '[UNK]', inside = '##', wordMost = WORD_MOST } = options;
    this.vocabulary = vocabulary;
    this.uncased = uncased;
    this.inside = inside;
    this.wordMost = wordMost;
    const idOf = (mark: string) => {
      const id = vocabulary.get(mark);
      if (id !== undefined) return id;
      throw new InputError(`the vocabulary has no ${mark}`, 'use the vocabulary that came with the model');
    };
    this.unknownId = idOf(unknown);
    this.startId = idOf('[CLS]');
    this.endId = idOf('[SEP]');
    this.padId = idOf('[PAD]');
  }

  /** Pieces of a vocabulary; the number of a piece is its place. */
  get size(): number {
    return this.vocabulary.size;
  }

  /** Token ids of a text between the marks of start and end, at most `most` of them: what is too long is cut at its end. */
  encode(text: string, most = TOKENS_MOST): number[] {
    const ids = [this.startId];
    const room = most - 1;
    for (const word of this.words(text)) {
      if (ids.length >= room) break;
      this.pieces(word, ids);
    }
    ids.length = Math.min(ids.length, room);
    ids.push(this.endId);
    return ids;
  }

  /** Words and punctuation of a text, in order. */
  words(text: string): string[] {
    let clean = '';
    for (const character of text) {
      if (IDEOGRAPH.test(character)) clean += ` ${character} `;
      else if (/[\t\n\r]|\p{Zs}/u.test(character)) clean += ' ';
      else if (character !== '\ufffd' && !/\p{C}/u.test(character)) clean += character;
    }
    // character by character: the reference knows no final sigma
    if (this.uncased)
      clean = Array.from(withoutAccents(clean), (character) => character.toLowerCase()).join('');
    const words: string[] = [];
    for (const run of clean.split(/\s+/u)) {
      let word = '';
      for (const character of run) {
        if (!PUNCTUATION.test(character)) {
          word += character;
          continue;
        }
        if (word !== '') words.push(word);
        words.push(character);
        word = '';
      }
      if (word !== '') words.push(word);
    }
    return words;
  }

  private pieces(word: string, ids: number[]): void {
    const characters = [...word];
    if (characters.length > this.wordMost) {
      ids.push(this.unknownId);
      return;
    }
    const before = ids.length;
    for (let from = 0; from < characters.length; ) {
      let to = characters.length;
      let id: number | undefined;
      for (; to > from; to--) {
        const piece = characters.slice(from, to).join('');
        id = this.vocabulary.get(from === 0 ? piece : this.inside + piece);
        if (id !== undefined) break;
      }
      if (id === undefined) {
        // one unknown part makes the word unknown
        ids.length = before;
        ids.push(this.unknownId);
        return;
      }
      ids.push(id);
      from = to;
    }
  }
}

const withoutAccents = (text: string): string => text.normalize('NFD').replace(/\p{Mn}/gu, '');

/** Reads `vocab.txt`: one piece a line, its number is the line's. */
export function wordPieceOfVocabulary(text: string, options: WordPieceOptions = {}): WordPiece {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  return new WordPiece(new Map(lines.map((piece, id) => [piece, id])), options);
}

/** Reads `tokenizer.json` with a WordPiece model. Throws {@link InputError} for other kinds of tokenizers. */
export function wordPieceOfTokenizer(json: unknown): WordPiece {
  const { model, normalizer } = (json ?? {}) as { model?: unknown; normalizer?: unknown };
  const {
    type,
    vocab,
    unk_token: unknown,
    continuing_subword_prefix: inside,
    max_input_chars_per_word: wordMost,
  } = (model ?? {}) as Record<string, unknown>;
  const isVocabulary =
    typeof vocab === 'object' &&
    vocab !== null &&
    !Array.isArray(vocab) &&
    Object.values(vocab).every((id) => Number.isSafeInteger(id) && (id as number) >= 0);
  if ((type !== undefined && type !== 'WordPiece') || !isVocabulary)
    throw new InputError(
      'the tokenizer is not one of word pieces with a vocabulary',
      'use the tokenizer.json of a BERT model, or its vocab.txt',
    );
  const { lowercase } = (normalizer ?? {}) as { lowercase?: unknown };
  return new WordPiece(new Map(Object.entries(vocab as Record<string, number>)), {
    uncased: lowercase !== false,
    ...(typeof unknown === 'string' ? { unknown } : {}),
    ...(typeof inside === 'string' ? { inside } : {}),
    ...(typeof wordMost === 'number' && wordMost > 0 ? { wordMost } : {}),
  });
}
