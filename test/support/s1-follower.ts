import type { ModelArtefact } from '#signals';
import { s1Model } from './s1-model.ts';

/** 20 bars must have moved the price by so much, a log return. */
const MOVED = 0.004;

/** The model of `examples/models/s1-follower.model.json`: three trees written by hand that follow the last 20 bars. */
export function s1Follower(): ModelArtefact {
  const model = s1Model({
    down: { feature: 'r20', below: -MOVED, left: 2, right: 0 },
    none: 0,
    up: { feature: 'r20', below: MOVED, left: 0, right: 2 },
  });
  const day = Date.UTC(2024, 0, 18);
  return {
    ...model,
    training: { ...model.training, from: day, to: day, rows: 0, seed: '' },
    stamps: ['written by hand, not trained'],
  };
}
