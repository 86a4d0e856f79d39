import { canonicalJson, type Instant, reviveState } from '#base';
import type { DeskParts } from './desk.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import type { OperatorAction } from './events.ts';
import type { DeskModels, ModelsInPlace } from './portfolio.ts';

// A desk asks for models by reference, and what a reference means may change while it runs: a newer model was promoted, one was
// rolled back or retired. The change is an act in the journal that names the model by its content, so that replay, a restart
// and a restored backup make the desk's parts from the same model at the same event.

type ModelAct = Extract<OperatorAction, { action: 'model' }>;

/** What a portfolio rests on besides what a desk thinks. Venue, books, slices and switches were made from it at the beginning. */
const FIXED = [
  'interval',
  'otherIntervals',
  'instruments',
  'onlyThose',
  'watches',
  'graceMs',
  'breaker',
  'monitor',
  'shadow',
  'review',
  'unlimitedCredit',
  'simulation',
] as const satisfies readonly (keyof DeskParts)[];

const hasModel = (models: ModelsInPlace | null, reference: string): models is ModelsInPlace =>
  models !== null && Object.hasOwn(models, reference);

/** The first thing in which parts differ that no model may change, or null. */
function movedBy(before: DeskParts, after: DeskParts): string | null {
  const name = FIXED.find((one) => canonicalJson(before[one]) !== canonicalJson(after[one]));
  if (name !== undefined) return name;
  const switchOf = ({ killSwitch }: DeskParts) =>
    killSwitch && canonicalJson([killSwitch.rules, killSwitch.group, killSwitch.flatten]);
  if (switchOf(before) !== switchOf(after)) return 'killSwitch';
  const isPostOnly = ({ entry }: DeskParts) => entry?.type === 'limit' && entry.postOnly;
  return isPostOnly(before) === isPostOnly(after) ? null : 'entry';
}

/** Why a desk does not take a model, or null. Throws what {@link DeskModels.build} throws. */
export function modelRefusal(engine: Engine, { desk: name, reference, id, fault }: ModelAct): string | null {
  const at = engine.desks.findIndex((one) => one.name === name);
  if (at < 0) return `there is no desk ${name}: ${engine.desks.map((desk) => desk.name).join(', ')}`;
  const { models, parts } = engine.desks[at]!;
  const setup = engine.definition.desks[at]!.models;
  if (setup === undefined || models === null) return `desk ${name} asks for no models`;
  if (!hasModel(models, reference))
    return `desk ${name} does not ask for ${reference}: ${Object.keys(models).join(', ')}`;
  if (fault !== undefined) return null;
  if (models[reference] === id)
    return `${reference} of ${name} is ${id === null ? 'none' : id.slice(0, 12)} already`;
  const moved = movedBy(parts, setup.build({ ...models, [reference]: id }).parts);
  return moved === null
    ? null
    : `the model changes what ${name} rests on (${moved}): it needs a run of its own`;
}

/** Has a desk decide with another model from its next bar on, or tells people why it does not. */
export function takeModel(engine: Engine, { desk: name, reference, id, fault }: ModelAct, at: Instant): void {
  const index = engine.desks.findIndex((one) => one.name === name);
  const desk = engine.desks[index]!;
  if (fault !== undefined) {
    const kept = desk.models![reference];
    const text = `${name} keeps ${kept == null ? 'no model' : `the model ${kept.slice(0, 12)}`} for ${reference}: ${fault}`;
    return engine.emit({ kind: 'raise-alert', severity: 'warning', key: `model-${name}`, text });
  }
  const hash = change(engine, desk, engine.definition.desks[index]!.models!, {
    ...desk.models,
    [reference]: id,
  });
  desk.modelsAt = at;
  desk.configurationHash = hash;
  engine.observer.modelsChanged?.(desk, hash, at);
}

function change(engine: Engine, desk: DeskRuntime, { build }: DeskModels, models: ModelsInPlace): string {
  const { parts, hash } = build(models);
  desk.change(parts);
  desk.models = models;
  engine.plans.limitsChanged();
  return hash;
}

/** Makes the desks' parts from the models that a captured state was captured with; the state itself comes afterwards. */
export function restoreModels(engine: Engine, captured: unknown): void {
  const { desks = [] } = captured as { readonly desks?: readonly { readonly models?: unknown }[] };
  for (const [i, desk] of engine.desks.entries()) {
    const setup = engine.definition.desks[i]!.models;
    const models = reviveState(desks[i]?.models ?? null) as ModelsInPlace | null;
    if (setup === undefined || models === null || canonicalJson(models) === canonicalJson(desk.models))
      continue;
    change(engine, desk, setup, models);
  }
}
