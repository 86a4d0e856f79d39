import { expect, it } from 'vitest';
import { source } from '#signals';
import { ALFA, STEP, Table } from '../../test/support/engine-table.ts';

const WARM_UP = 6;

/** At which of the bars from one of unknown volume on a desk's source is asked, and how often the desk was held. */
function asked(features: Record<string, string>, bars: number) {
  const at: number[] = [];
  let i = -1;
  const counting = source({
    name: 'counting',
    emits: 'score',
    features,
    signal: () => {
      at.push(i);
      return null;
    },
  });
  const table = new Table({ sources: [counting], warmUpBars: WARM_UP });
  for (let n = 1; n < WARM_UP; n++) table.bar(100);
  for (i = 0; i < bars; i++) {
    table.at += STEP;
    const volume = i === 0 ? 0 : 9;
    table.step({
      kind: 'bar-closed',
      at: table.at,
      eventTime: table.at,
      instrument: ALFA.id,
      intervalMs: STEP,
      bar: { time: table.at - STEP, open: 100, high: 100, low: 100, close: 100, volume },
      ...(i === 0 ? { volumeUnknown: true } : {}),
    });
  }
  return { at, held: table.engine.counts.objectionsByGate.get('volume-unknown') };
}

it('nothing is decided while features rest on a volume that nobody knows', () => {
  expect(asked({ ratio: 'volume_ratio:4' }, 7)).toEqual({ at: [4, 5, 6], held: 4 });
  // a sum that never forgets waits for a warm-up
  expect(asked({ obv: 'obv' }, 8)).toEqual({ at: [6, 7], held: 6 });
});

it('and nobody waits who looks at prices alone', () => {
  expect(asked({ rsi: 'rsi:3' }, 3)).toEqual({ at: [0, 1, 2], held: undefined });
});
