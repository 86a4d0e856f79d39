import type { DeskParts } from '#engine';
import type { Sizer } from '#risk';
import {
  agreeing,
  cutName,
  deafToBreaker,
  deafToMonitor,
  passing,
  resting,
  silent,
  undoing,
} from './removals.ts';

/** What a part is, in the order a bar meets them; `alone` is a source without all the others. */
export type PartKind =
  | 'source'
  | 'alone'
  | 'gate'
  | 'multiplier'
  | 'limit'
  | 'layer'
  | 'selection'
  | 'review'
  | 'exit'
  | 'breaker'
  | 'monitor';

/** One part of a desk, and the desk without it. */
export interface Ablation {
  /** `kind:name`, with `#2` and so on for a further part of that kind and name. */
  readonly id: string;
  readonly kind: PartKind;
  readonly name: string;
  /** What the desk does without it, in words. */
  readonly means: string;
  readonly parts: DeskParts;
  /** Protective orders that the market never reaches: see the option of the simulated venue. */
  readonly deafTo: readonly string[];
}

/** What a run of the whole desk has shown: names that the parts themselves do not tell. */
export interface Seen {
  /** Factors that sizers have cut by. */
  readonly sizeCuts: readonly string[];
  /** How trades ended. */
  readonly exits: readonly string[];
}

/** Protective orders of a plan, which rest at the venue whether or not the desk lists an exit of that name. */
const PROTECTIVE: Readonly<Record<string, string>> = {
  'stop-loss': 'no stop is ever reached; positions are sized and limited by its distance as before',
  'take-profit': 'no target is ever reached',
};

type Change = Pick<Ablation, 'means' | 'parts'> & { readonly deafTo?: readonly string[] };

/** Every part of a desk that can be taken out, with the desk without it. Each desk is stamped as a study. */
export function ablationsOf(parts: DeskParts, seen: Seen): readonly Ablation[] {
  const found: Ablation[] = [];
  const ids = new Map<string, number>();
  const add = (kind: PartKind, name: string, change: Change) => {
    const plain = `${kind}:${name}`;
    const n = (ids.get(plain) ?? 0) + 1;
    ids.set(plain, n);
    const id = n === 1 ? plain : `${plain}#${n}`;
    const stamps = [...(parts.stamps ?? []), `study: ${kind === 'alone' ? '' : 'without '}${id}`];
    found.push({ id, kind, name, deafTo: [], ...change, parts: { ...change.parts, stamps } });
  };
  addSources(parts, add);
  (parts.gates ?? []).forEach((gate, i, gates) => {
    const means = gate.veto ? 'the veto never objects' : 'the gate never objects';
    add('gate', gate.name, { means, parts: { ...parts, gates: gates.with(i, agreeing(gate)) } });
  });
  addMultipliers(parts, seen, add);
  (parts.limits ?? []).forEach((limit, i, limits) => {
    const means = 'the limit lets every plan pass whole';
    add('limit', limit.name, { means, parts: { ...parts, limits: limits.with(i, passing(limit)) } });
  });
  (parts.safetyLayers ?? []).forEach((layer, i, layers) => {
    const safetyLayers = layers.with(i, passing(layer));
    add('layer', layer.name, { means: 'the layer lets every plan pass', parts: { ...parts, safetyLayers } });
  });
  if (parts.entriesPerSlice != null) {
    const means = 'every idea of a slice may enter';
    add('selection', 'best-ideas', { means, parts: { ...parts, entriesPerSlice: null } });
  }
  if (parts.review !== undefined) {
    const { review: _, ...rest } = parts;
    add('review', parts.review.topic, { means: 'nobody is asked before an order leaves', parts: rest });
  }
  addExits(parts, seen, add);
  if (parts.breaker !== undefined) {
    const { breaker: _, ...rest } = parts;
    add('breaker', 'breaker', { means: 'the breaker never trips, throttles or closes', parts: rest });
  }
  if (parts.monitor !== undefined) {
    const { monitor: _, ...rest } = parts;
    const means = 'nobody watches the record: neither sizes nor breaker hear of it';
    add('monitor', 'strategy-monitor', { means, parts: rest });
  }
  return found;
}

type Add = (kind: PartKind, name: string, change: Change) => void;

function addSources(parts: DeskParts, add: Add): void {
  const { sources } = parts;
  sources.forEach((source, i) => {
    add('source', source.name, {
      means: 'the source is silent',
      parts: { ...parts, sources: sources.with(i, silent(source)) },
    });
  });
  if (sources.length < 2) return;
  sources.forEach((source, i) => {
    add('alone', source.name, {
      means: 'every other source is silent; the desk pools as before',
      parts: { ...parts, sources: sources.map((other, k) => (k === i ? other : silent(other))) },
    });
  });
}

function addMultipliers(parts: DeskParts, seen: Seen, add: Add): void {
  const { sizer } = parts;
  const with_ = (changed: Sizer): DeskParts => ({ ...parts, sizer: changed });
  const removable = sizer.removable ?? {};
  for (const name of Object.keys(removable).sort()) {
    const means = name === 'expectancy' ? 'no edge is needed to enter' : 'the multiplier is 1';
    add('multiplier', name, { means, parts: with_(removable[name]!()) });
  }
  if (parts.monitor !== undefined) {
    const means = 'the multiplier is 1; the breaker still hears of the record';
    add('multiplier', 'strategy-monitor', { means, parts: with_(deafToMonitor(sizer)) });
  }
  if (parts.breaker !== undefined) {
    const means = 'the multiplier is 1; a breaker that is open still stops entries';
    add('multiplier', 'breaker', { means, parts: with_(deafToBreaker(sizer)) });
  }
  const known = new Set([...Object.keys(removable), 'strategy-monitor', 'breaker']);
  const others = new Set(seen.sizeCuts.map(cutName));
  for (const name of [...others].sort()) {
    if (known.has(name)) continue;
    const means = 'the size is divided by what the sizer says it was multiplied with';
    add('multiplier', name, { means, parts: with_(undoing(sizer, name)) });
  }
}

function addExits(parts: DeskParts, seen: Seen, add: Add): void {
  const { exits = [] } = parts;
  exits.forEach((exit, i) => {
    const changed = { ...parts, exits: exits.with(i, resting(exit)) };
    if (exit.restsAtVenue) {
      const means = PROTECTIVE[exit.name] ?? 'what rests at the venue is never reached';
      add('exit', exit.name, { means, parts: changed, deafTo: [exit.name] });
    } else add('exit', exit.name, { means: 'the exit never fires', parts: changed });
  });
  for (const [name, means] of Object.entries(PROTECTIVE)) {
    if (!seen.exits.includes(name) || exits.some((exit) => exit.name === name)) continue;
    add('exit', name, { means, parts, deafTo: [name] });
  }
  const { opposite = 'ignore' } = parts;
  if (opposite === 'ignore') return;
  const means =
    opposite === 'reverse' ? 'an opposite signal turns nothing round' : 'an opposite signal closes nothing';
  add('exit', 'opposite-signal', { means, parts: { ...parts, opposite: 'ignore' } });
}
