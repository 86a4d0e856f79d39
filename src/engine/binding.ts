import { broken, InputError } from '#base';
import { columnOf, type FeatureFrame } from '#features';
import type { FeatureNeeds } from '#signals';

/** An object whose properties read the frame's newest row. */
export interface Values {
  readonly [name: string]: number;
}

type ValuesOf = new (frame: FeatureFrame) => Values;

/**
 * A class with one getter per local name. The class is made once per declaration and shared by all instruments
 * (whose frames hold the same columns in the same order), so the engine's property reads stay monomorphic and
 * nothing is copied per bar.
 */
export function valuesClass(needs: FeatureNeeds, handleOf: (column: string) => number): ValuesOf {
  const names = Object.entries(needs).map(([name, expression]): [string, number] => {
    if (name === 'frame')
      throw new InputError('a feature may not be called "frame"', 'give it another local name');
    const handle = handleOf(columnOf(expression));
    if (!(handle >= 0)) broken(`no column for ${expression}`);
    return [name, handle];
  });
  const shape = JSON.stringify(names);
  const known = CLASSES.get(shape);
  if (known !== undefined) return known;
  const made = newClass(names);
  CLASSES.set(shape, made);
  return made;
}

/** Classes by the names and handles they read: runs and desks that read alike share one, and so its compiled code. */
const CLASSES = new Map<string, ValuesOf>();

function newClass(names: readonly (readonly [string, number])[]): ValuesOf {
  class BoundValues {
    declare readonly frame: FeatureFrame;
    constructor(frame: FeatureFrame) {
      // not enumerable: whoever lists the values sees their names only
      Object.defineProperty(this, 'frame', { value: frame });
    }
  }
  for (const [name, handle] of names) {
    Object.defineProperty(BoundValues.prototype, name, {
      enumerable: true,
      get(this: BoundValues) {
        return this.frame.latest[handle]!;
      },
    });
  }
  return BoundValues as unknown as ValuesOf;
}

/** A plain copy, for what must be remembered (values at entry, traces). */
export function copyValues(needs: FeatureNeeds, values: Values): Record<string, number> {
  const out: Record<string, number> = {};
  for (const name of Object.keys(needs)) out[name] = values[name]!;
  return out;
}
