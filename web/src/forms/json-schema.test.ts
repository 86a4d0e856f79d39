import { describe, expect, it } from 'vitest';
import { blank, boundsOf, kindOf, type Schema, validate, variantOf, withoutNull } from './json-schema.ts';

const desk: Schema = {
  type: 'object',
  properties: {
    risk: { type: 'number', minimum: 0, maximum: 1, default: 0.01 },
    bars: { type: 'integer', minimum: 2 },
    mode: { type: 'string', enum: ['long', 'both'] },
    fee: { anyOf: [{ type: 'number', minimum: 0 }, { type: 'null' }], default: null },
    resume: { type: ['boolean', 'null'] },
    exits: {
      type: 'array',
      items: { type: 'object', properties: { atr: { type: 'number' } }, required: ['atr'] },
    },
    feeds: {
      type: 'object',
      propertyNames: { type: 'string', pattern: '^[a-z]+$' },
      additionalProperties: {
        oneOf: [
          {
            type: 'object',
            properties: { kind: { const: 'file' }, path: { type: 'string', minLength: 1 } },
            required: ['kind', 'path'],
            additionalProperties: false,
          },
          {
            type: 'object',
            properties: { kind: { const: 'made-up' }, seed: { type: 'string' } },
            required: ['kind'],
            additionalProperties: false,
          },
        ],
      },
    },
  },
  required: ['mode'],
  additionalProperties: false,
};
const faults = (value: unknown) => Object.fromEntries(validate(value, desk, desk));

describe('validate', () => {
  it('takes what fits, with what is optional left out', () => {
    expect(faults({ mode: 'long' })).toEqual({});
    expect(
      faults({
        mode: 'both',
        risk: 0,
        bars: 2,
        fee: null,
        resume: null,
        exits: [{ atr: 2 }],
        feeds: { own: { kind: 'made-up' } },
      }),
    ).toEqual({});
  });

  it('names every fault by its path', () => {
    const found = faults({
      mode: 'short',
      risk: 2,
      bars: 2.5,
      fee: -1,
      resume: 'yes',
      exits: [{ atr: 1 }, {}],
      feeds: { Own: { kind: 'file', path: '' } },
      more: 1,
    });
    expect(Object.keys(found).sort()).toEqual(
      ['bars', 'exits.1.atr', 'fee', 'feeds.Own', 'feeds.Own.path', 'mode', 'more', 'resume', 'risk'].sort(),
    );
    expect(found.risk).toBe('needs a number from 0 to 1');
    expect(found['feeds.Own.path']).toBe('is needed');
  });

  it('refuses text where a number is typed half', () => {
    expect(faults({ mode: 'long', risk: '0.' }).risk).toBe('needs a number from 0 to 1');
  });
});

describe('parts of a form', () => {
  it('tells what null is beside', () => {
    expect(withoutNull(desk.properties!.fee!)).toMatchObject({
      nullable: true,
      inner: { type: 'number', minimum: 0 },
    });
    expect(kindOf(withoutNull(desk.properties!.resume!).inner)).toBe('boolean');
  });

  it('finds the variant by its tag also where the rest is wrong', () => {
    const choices = (desk.properties!.feeds!.additionalProperties as Schema).oneOf!;
    expect(variantOf({ kind: 'made-up', seed: 3 }, choices, desk)).toBe(1);
    expect(variantOf({ kind: 'file' }, choices, desk)).toBe(0);
  });

  it('begins with values that only lack what a person must give', () => {
    expect(blank(desk, desk)).toEqual({ mode: 'long' });
    expect(blank(desk.properties!.risk!, desk)).toBe(0.01);
  });

  it('writes bounds', () => {
    expect(boundsOf({ minimum: 0, maximum: 1 })).toBe('from 0 to 1');
    expect(boundsOf({ exclusiveMinimum: 0 })).toBe('above 0');
    expect(boundsOf({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })).toBe('of at least 1');
    expect(boundsOf({ maximum: 5 })).toBe('up to 5');
  });
});
