import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { articleText, plainArticleText } from './article-text.ts';
import { NEGATIVE_WORDS, POSITIVE_WORDS } from './finance-lexicon.ts';
import { LexiconScorer, lexiconScore } from './lexicon-scorer.ts';

describe('the lexicon', () => {
  it.each([
    ['Bitcoin rallies', 1 / 3],
    ['Bitcoin rallies to record-high on strong inflows', 4 / 6],
    ['Exchange hacked, funds stolen', -2 / 4],
    ['Ether', 0],
    ['', 0],
    ['gains and losses', 0],
  ])('scores %j', (text, score) => {
    expect(lexiconScore(text)).toBeCloseTo(score, 6);
  });

  it('turns round what is negated, and by half', () => {
    expect(lexiconScore('the profit')).toBeCloseTo(1 / 3, 6);
    expect(lexiconScore('not a profit')).toBeCloseTo(-0.5 / 2.5, 6);
    expect(lexiconScore('it didn\u2019t crash')).toBeCloseTo(0.5 / 2.5, 6);
    // beyond its reach, and beyond its sentence
    expect(lexiconScore('not this one or that profit')).toBeCloseTo(1 / 3, 6);
    expect(lexiconScore('We do not. Profit')).toBeCloseTo(1 / 3, 6);
    expect(lexiconScore('fails to rally')).toBeCloseTo(-1.5 / 3.5, 6);
  });

  it('holds no word on both lists', () => {
    const bad = new Set(NEGATIVE_WORDS);
    expect(POSITIVE_WORDS.filter((word) => bad.has(word))).toEqual([]);
    for (const word of POSITIVE_WORDS)
      expect([word, lexiconScore(word.replace('*', ''))]).toEqual([word, 0.333333]);
    for (const word of NEGATIVE_WORDS)
      expect([word, lexiconScore(word.replace('*', ''))]).toEqual([word, -0.333333]);
  });

  it('stays inside -1 and 1 for any text, and gives the same again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const score = lexiconScore(text);
        expect(score > -1 && score < 1).toBe(true);
        expect(lexiconScore(text)).toBe(score);
      }),
    );
    expect(lexiconScore('crash '.repeat(50_000))).toBeGreaterThanOrEqual(-1);
  });

  it('marks what it scores', async () => {
    const scorer = new LexiconScorer();
    expect(scorer.name).toBe('lexicon');
    expect(await scorer.score(['surges', 'plunges'])).toEqual([0.333333, -0.333333]);
  });
});

describe('the text of an article', () => {
  it('is the title as a sentence and the summary', () => {
    expect(articleText('Bitcoin rises', 'It rose.')).toBe('Bitcoin rises. It rose.');
    expect(articleText('Bitcoin rises?', 'It rose.')).toBe('Bitcoin rises? It rose.');
    expect(articleText('', ' It rose. ')).toBe('It rose.');
    expect(articleText('Bitcoin', '')).toBe('Bitcoin');
  });

  it.each([
    ['<b>Bold</b>&nbsp;&amp; <script src="x">news</script>', 'Bold & news'],
    ['a\u0000b\u001b[31mred\u001b[0m', 'a b [31mred [0m'],
    ['zero\u200bwidth \u202eright to left', 'zerowidth right to left'],
    ['tabs\tand\r\nlines', 'tabs and lines'],
    ['&#60;b&#62; &#0; &unknown; &bogus', '<b> &unknown; &bogus'],
    ['1 < 2 and 3 > 2', '1 2'],
    ['\ud800', ''],
  ])('cleans %j', (raw, clean) => {
    expect(plainArticleText(raw, 100)).toBe(clean);
  });

  it('is of bounded length, without control characters, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', maxLength: 2_000 }),
        (title, summary) => {
          const text = articleText(title, summary);
          expect(text.length).toBeLessThanOrEqual(4_503);
          expect(/\p{C}/u.test(text)).toBe(false);
        },
      ),
    );
    expect(articleText('x'.repeat(1e6), `<${'<'.repeat(1e6)}`).length).toBeLessThanOrEqual(4_503);
  });
});
