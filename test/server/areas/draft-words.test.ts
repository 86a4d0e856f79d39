import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInDesks } from '#desks';
import type { DeskDefinition } from '#engine';
import { draftFrom, knobsOf } from '../../../src/apps/server/areas/sigma/draft-words.ts';
import { parameterSchema } from '../../../src/apps/server/areas/workshop/desks.ts';

const sigma = builtInDesks.sigma as unknown as DeskDefinition<unknown>;
const knobs = knobsOf(parameterSchema(sigma));
const now = sigma.parameters.parse(undefined) as Record<string, unknown>;
const changes = (text: string) => draftFrom(text, knobs, now).changes;

describe('words as parameters', () => {
  it.each<[string, Record<string, unknown>]>([
    ['leverage 5', { leverage: 5 }],
    ['Set leverage to 5 and kelly 0.1', { leverage: 5, kellyFraction: 0.1 }],
    ['leverage=5, riskMax: 1%', { leverage: 5, riskMax: 0.01 }],
    ['risk 0.5%', { riskMax: 0.005 }],
    ['risk max 1 %', { riskMax: 0.01 }],
    ['risk 2 percent', { riskMax: 0.02 }],
    ['heat max 3%. day loss max 2%', { heatMax: 0.03, dayLossMax: 0.02 }],
    ['breaker off, monitor on', { breaker: false, monitor: true }],
    ['interval 15m', { interval: '15m' }],
    ['auto resume yes', { autoResume: true }],
    ['double the kelly', { kellyFraction: 0.5 }],
    ['halve leverage', { leverage: 5 }],
    ['raise targetMultiple by 20%', { targetMultiple: 3 }],
    ['lower entry confidence by 50%', { entryConfidence: 0.3 }],
    ['trades min 50', { tradesMin: 50 }],
  ])('%s', (text, expected) => {
    expect(changes(text)).toEqual(expected);
  });

  it('take what is more cautious from what a parameter is', () => {
    const made = changes('a bit more cautious please');
    expect(made).toMatchObject({ riskMax: 0.01, leverage: 5, heatMax: 0.03, entryConfidence: 0.65 });
    expect(made).not.toHaveProperty('targetMultiple');
    expect(changes('less risky')).toEqual(made);
    expect(changes('bolder')).toMatchObject({ riskMax: 0.03, leverage: 15, entryConfidence: 0.55 });
  });

  it('let a number that is named win over a mood', () => {
    expect(changes('more cautious but leverage 8')).toMatchObject({ leverage: 8, riskMax: 0.01 });
  });

  it('tell which of several parameters may be meant', () => {
    const drafted = draftFrom('stop 2', knobs, now);
    expect(drafted.empty).toBe(true);
    expect(drafted.notes.join()).toContain('stopAtrMultiple, stopCostMultiple');
  });

  it.each(['', 'buy me a boat', '<script>alert(1)</script>', '__proto__ 5', 'constructor 1'])(
    'mean nothing where nothing is named: %s',
    (text) => {
      expect(draftFrom(text, knobs, now)).toMatchObject({ empty: true, changes: {} });
    },
  );

  it('never change what the schema does not have, whatever is written', () => {
    const names = new Set(knobs.map(({ name }) => name));
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('double', 'leverage', 'risk', '0.5%', 'more cautious', 'by', 'off', '-1e308', 'x'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const made = draftFrom(words.join(' '), knobs, now).changes;
        for (const [name, value] of Object.entries(made)) {
          expect(names.has(name)).toBe(true);
          if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });
});
