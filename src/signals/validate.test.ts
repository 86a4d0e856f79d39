import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clippedText,
  readForecastAnswer,
  readScoreAnswer,
  readVoteAnswer,
  type Signal,
  signalFault,
  TEXT_MAX,
} from './index.ts';

const expected = { source: 'model', horizonMs: 60_000 };
const forecast = (answer: unknown) => readForecastAnswer(answer, { ...expected, claim: 'resolves-yes' });
const score = (answer: unknown) => readScoreAnswer(answer, expected);
const vote = (answer: unknown) => readVoteAnswer(answer, expected);

describe('answers from outside', () => {
  it('reads the documented shapes', () => {
    expect(forecast({ probability: 0.25, reason: 'cold front' })).toEqual({
      kind: 'forecast',
      source: 'model',
      claim: 'resolves-yes',
      probability: 0.25,
      horizonMs: 60_000,
      detail: { reason: 'cold front' },
    });
    expect(score({ value: -1 })).toMatchObject({ value: -1, detail: {} });
    expect(score({ value: 0.5, confidence: 0.75 })).toMatchObject({ value: 0.5, confidence: 0.75 });
    expect(vote({ action: 'SELL', confidence: 70, reason: null })).toMatchObject({
      value: -0.7,
      confidence: 0.7,
    });
    expect(vote({ action: 'HOLD', confidence: 90 })).toMatchObject({ value: 0 });
  });

  it.each([
    null,
    undefined,
    'BUY',
    0.5,
    [],
    [{ probability: 0.5 }],
    {},
    { probability: '0.5' },
    { probability: 50 },
    { probability: -0.01 },
    { probability: Number.NaN },
    { probability: Number.POSITIVE_INFINITY },
    { probability: null },
    { probability: 0.5, reason: 7 },
    { probability: 0.5, source: 'another' },
    { probability: 0.5, horizonMs: 1 },
    new (class {
      probability = 0.5;
    })(),
  ])('refuses %j as a forecast', (answer) => {
    expect(forecast(answer)).toBeNull();
  });

  it.each([
    { value: 1.01 },
    { value: 0.5, confidence: 2 },
    { value: 0.5, confidence: '1' },
    { confidence: 0.5 },
    { value: 0.5, why: 'because' },
  ])('refuses %j as a score', (answer) => {
    expect(score(answer)).toBeNull();
  });

  it.each([
    { action: 'buy', confidence: 50 },
    { action: 'toString', confidence: 50 },
    { action: 'BUY' },
    { action: 'BUY', confidence: 101 },
    { action: 1, confidence: 50 },
  ])('refuses %j as a vote', (answer) => {
    expect(vote(answer)).toBeNull();
  });

  it('whatever comes, the result is null or a signal without fault from the expected source', () => {
    const anything = fc.anything({ withNullPrototype: true, maxDepth: 2 });
    const near = fc.record(
      {
        probability: fc.oneof(fc.double(), fc.string()),
        value: fc.oneof(fc.double({ min: -2, max: 2 }), anything),
        confidence: fc.oneof(fc.double({ min: -1, max: 120 }), anything),
        action: fc.oneof(fc.constantFrom('BUY', 'SELL', 'HOLD'), fc.string()),
        reason: fc.oneof(fc.string({ maxLength: 2000 }), anything),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(anything, near), (answer) => {
        for (const signal of [forecast(answer), score(answer), vote(answer)] as (Signal | null)[]) {
          if (signal === null) continue;
          expect(signalFault(signal)).toBeNull();
          expect(signal.source).toBe('model');
          expect(String(signal.detail?.reason ?? '').length).toBeLessThanOrEqual(TEXT_MAX);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('clips texts and takes out what could forge a line or a colour', () => {
    expect(clippedText('a\u001b[31mred\r\nline\u202edesrever\u2028x')).toBe('a [31mred line desrever x');
    expect(clippedText('  x'.repeat(1000)).length).toBeLessThanOrEqual(TEXT_MAX);
    expect(clippedText('ab\u{1f600}', 3)).toBe('ab');
    expect(clippedText('ab\u{1f600}', 4)).toBe('ab\u{1f600}');
  });
});
