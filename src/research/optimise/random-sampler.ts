import type { Chance } from '#base';
import type { History } from './history.ts';
import type { Sampler } from './sampler.ts';
import type { Space } from './space.ts';

/** Draws every parameter that exists uniformly over its scale. */
export function drawPoint(space: Space, chance: Chance, into: Float64Array): void {
  for (let a = 0; a < space.axes.length; a++) {
    into[a] = space.active(a, into) ? space.axes[a]!.draw(chance) : Number.NaN;
  }
}

/** Independent uniform draws. */
export class RandomSampler implements Sampler {
  propose(history: History, chance: Chance, into: Float64Array): null {
    drawPoint(history.space, chance, into);
    return null;
  }
}
