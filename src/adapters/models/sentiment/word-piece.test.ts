import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordPiece, wordPieceOfTokenizer, wordPieceOfVocabulary } from './word-piece.ts';

const PIECES =
  '[PAD] [UNK] [CLS] [SEP] un ##aff ##able ##want ##ed want runn ##ing , low ##est ##er wide the hello ! . [ ] cls sep 中 文 a b ##b e u $ 100 ##0'.split(
    ' ',
  );
const tokenizer = new WordPiece(new Map(PIECES.map((piece, id) => [piece, id])));
const pieces = (text: string, most?: number) => tokenizer.encode(text, most).map((id) => PIECES[id]);

describe('word pieces', () => {
  it.each([
    ['UNwant\u00e9d,running', ['un', '##want', '##ed', ',', 'runn', '##ing']],
    ['unaffable', ['un', '##aff', '##able']],
    ['unwantedX running', ['[UNK]', 'runn', '##ing']],
    [' \tHeLLo!how  \n Are yoU?  ', ['hello', '!', '[UNK]', '[UNK]', '[UNK]', '[UNK]']],
    ['H\u00e9llo', ['hello']],
    ['中文a', ['中', '文', 'a']],
    ['ab中', ['a', '##b', '中']],
    ['$100', ['$', '100']],
    ['$1000', ['$', '100', '##0']],
    ['lo\u0000w\u200best\ufffd', ['low', '##est']],
    ['a\u00a0b', ['a', 'b']],
    ['e\u0301', ['e']],
    ['\u00dc', ['u']],
    ['', []],
    ['\u{1f600}', ['[UNK]']],
    ['“hello”', ['[UNK]', 'hello', '[UNK]']],
  ])('cuts %j', (text, expected) => {
    expect(pieces(text)).toEqual(['[CLS]', ...expected, '[SEP]']);
  });

  it('reads the name of a mark in a text as text', () => {
    expect(pieces('[SEP] [CLS]')).toEqual(['[CLS]', '[', 'sep', ']', '[', 'cls', ']', '[SEP]']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('[SEP]', '[CLS]', '[PAD]', 'hello', ' ', 'a')), (parts) => {
        const inside = tokenizer.encode(parts.join('')).slice(1, -1);
        expect(
          inside.every((id) => id !== tokenizer.startId && id !== tokenizer.endId && id !== tokenizer.padId),
        ).toBe(true);
      }),
    );
  });

  it('makes letters small one by one, as the reference does: there is no final sigma', () => {
    expect(tokenizer.words('\u0391\u03a3 \u0130')).toEqual(['\u03b1\u03c3', 'i']);
  });

  it('cuts what is too long at its end and keeps the marks', () => {
    expect(pieces('hello hello hello', 4)).toEqual(['[CLS]', 'hello', 'hello', '[SEP]']);
    expect(pieces('unaffable', 4)).toEqual(['[CLS]', 'un', '##aff', '[SEP]']);
    expect(tokenizer.encode('a '.repeat(10_000))).toHaveLength(512);
  });

  it('never makes of any text more than there is room for', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.integer({ min: 2, max: 40 }),
        (text, most) => {
          const ids = tokenizer.encode(text, most);
          expect(ids.length).toBeLessThanOrEqual(most);
          expect(ids[0]).toBe(tokenizer.startId);
          expect(ids.at(-1)).toBe(tokenizer.endId);
        },
      ),
    );
  });

  it('knows no word of more than a hundred characters', () => {
    expect(pieces(`a${'b'.repeat(99)}`)).toHaveLength(102);
    expect(pieces(`a${'b'.repeat(100)}`)).toEqual(['[CLS]', '[UNK]', '[SEP]']);
  });

  it('keeps case and accents when it is not uncased', () => {
    const cased = wordPieceOfVocabulary('[PAD]\n[UNK]\n[CLS]\n[SEP]\nHello\nhello\n', { uncased: false });
    expect(cased.encode('Hello hello h\u00e9llo')).toEqual([2, 4, 5, 1, 3]);
  });

  it('reads both forms of vocabulary alike', () => {
    const vocab = Object.fromEntries(PIECES.map((piece, id) => [piece, id]));
    const other = wordPieceOfTokenizer({ model: { type: 'WordPiece', unk_token: '[UNK]', vocab } });
    const lines = wordPieceOfVocabulary(PIECES.join('\r\n'));
    for (const text of ['unaffable running', '中文 low!', 'wide'])
      expect([other.encode(text), lines.encode(text)]).toEqual([
        tokenizer.encode(text),
        tokenizer.encode(text),
      ]);
  });

  it.each([
    [null],
    [{}],
    [{ model: { type: 'BPE', vocab: { a: 1 } } }],
    [{ model: { type: 'WordPiece', vocab: ['a'] } }],
    [{ model: { type: 'WordPiece', vocab: { a: 'b' } } }],
  ])('refuses the tokenizer %j', (json) => {
    expect(() => wordPieceOfTokenizer(json)).toThrow('not one of word pieces');
  });

  it('refuses a vocabulary without its marks', () => {
    expect(() => wordPieceOfVocabulary('a\nb')).toThrow('the vocabulary has no [UNK]');
  });
});
