import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import type { InstrumentId } from '#market';
import type { Signal } from '#signals';
import { ModelsHeard } from './models-heard.ts';

const BTC = 'BTCUSDT.BINANCE-USDM' as InstrumentId;
const said = (detail: Signal['detail'], source = 'model'): Signal[] => [
  { kind: 'score', source: 'regime', value: 1, horizonMs: 1 },
  { kind: 'score', source, value: 0, horizonMs: 1, ...(detail === undefined ? {} : { detail }) },
];
const hear = (watch: ModelsHeard, at: number, detail: Signal['detail']) =>
  watch.heard('mine', BTC, at, said(detail));

describe('the word of a model', () => {
  it('is noted where it changes, and of each desk', () => {
    const watch = new ModelsHeard();
    const note = { note: 'model-heard', desk: 'mine', instrument: BTC };
    expect(hear(watch, 1, { fault: 'no model' })).toEqual({ ...note, at: 1, fault: 'no model' });
    expect(hear(watch, 2, { fault: 'no model' })).toBeNull();
    expect(hear(watch, 3, { up: 0.4 })).toEqual({ ...note, at: 3, fault: null });
    expect(hear(watch, 4, { up: 0.5 })).toBeNull();
    expect(watch.heard('other', BTC, 4, said({ up: 0.5 }))).toMatchObject({ desk: 'other', fault: null });
    expect(hear(watch, 5, { fault: 'a feature is not defined' })).toMatchObject({ at: 5 });
  });

  it('is none of a desk without a model', () => {
    expect(new ModelsHeard().heard('mine', BTC, 1, said({ up: 1 }, 'momentum'))).toBeNull();
    expect(new ModelsHeard().heard('mine', BTC, 1, [])).toBeNull();
  });

  it('is known after a restart, by a snapshot or by the journal', () => {
    const before = new ModelsHeard();
    const note = hear(before, 1, { up: 0.4 })!;
    const after = new ModelsHeard();
    restoreState(after, JSON.parse(JSON.stringify(captureState(before))));
    expect(hear(after, 2, { up: 0.4 })).toBeNull();
    const told = new ModelsHeard();
    told.told(note);
    expect(hear(told, 2, { up: 0.4 })).toBeNull();
    expect(hear(told, 3, { fault: 'no model' })).not.toBeNull();
  });
});
