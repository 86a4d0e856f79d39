import type { HeldStage, ModelEntry, ModelRegistry, RunRegistry } from '#adapters';
import { InputError } from '#base';
import {
  bindingProfile,
  type Criterion,
  countTrials,
  decideModelPromotion,
  type FigureName,
  isOurs,
  type Measured,
  type ModelStage,
  type PromotionException,
  type PromotionProfile,
} from '#research';
import type { ModelOnPaper } from '../promotion/model-record.ts';
import { type PaperEvidence, paperEvidence } from '../promotion/paper-evidence.ts';
import { dayLookup } from '../setup/registry/day-lookup.ts';
import { heldEvidence, trustedKeys } from './held-evidence.ts';
import { actNow } from './models-folder.ts';

export interface ModelPromotionRequest {
  readonly model: ModelEntry;
  readonly to: HeldStage;
  readonly profile: PromotionProfile;
  readonly exception: PromotionException | null;
  /** Folder of the paper portfolio whose desk trades the model's name; null without. */
  readonly paper: string | null;
  /** The record of runs on this machine, which bears out what was brought in and counts its trials; null where there is none. */
  readonly runs: RunRegistry | null;
  /** Drift to a chart's script, measured just now; left out where nobody measured it. */
  readonly parity?: Measured;
}

export interface ModelPromotionOutcome {
  readonly promoted: boolean;
  readonly id: string;
  readonly name: string;
  readonly from: ModelStage;
  readonly to: HeldStage;
  readonly profile: string;
  readonly criteria: readonly Criterion[];
  readonly exception: PromotionException | null;
  /** Who held the stage until now; null for nobody. */
  readonly instead: string | null;
  /** What the desk of its name did on paper with this model and with others; null where nobody asked. */
  readonly onPaper: readonly ModelOnPaper[] | null;
}

/**
 * Judges a model by what is on record, and stages it when it is let through. Every training of its config is counted, and time on
 * paper measured, here and now. Throws {@link InputError} where a run was put on record meanwhile: it was not counted.
 */
export function promoteModel(
  registry: ModelRegistry,
  { model, to, profile: named, exception, paper, runs, parity }: ModelPromotionRequest,
): ModelPromotionOutcome {
  const head = registry.head();
  const { id, name } = model;
  const profile = bindingProfile(name, named);
  const artefact = registry.artefact(id);
  const { instrument, interval, dataHash } = artefact.training;
  const now = actNow();
  // all of it, entry by entry and before anything else of it is believed: what somebody put in bears nothing out
  const record = runs?.trials() ?? null;
  // of the name, whichever of its models traded, in bars at which one spoke
  const desk = { desk: deskOfModel(name), deskHash: null, instruments: [instrument], interval, spoken: true };
  const onPaper = paper === null ? null : paperEvidence(paper, desk, now.at);
  const holder = registry.holder(name, to);
  const held = heldEvidence(registry, id, { runs, keys: trustedKeys(registry.folder) });
  const ours = held.filter(isOurs).map(({ evidence }) => evidence);
  const counted =
    runs === null || record === null
      ? null
      : countTrials(
          {
            config: name,
            dataHash,
            evidence: ours.filter((one) => one.model === id && one.dataHash === dataHash),
          },
          record.trials,
          dayLookup(runs),
        );
  const decision = decideModelPromotion({
    to,
    profile,
    id,
    stage: model.stage,
    interval,
    dataHash,
    stamps: [...artefact.stamps, ...(onPaper?.stamps ?? [])],
    evidence: held,
    counted,
    ...(onPaper === null || to === 'paper' ? {} : { ownPaperDays: ownDays(onPaper, id) }),
    holder,
    exception,
    measured: {
      ...(onPaper === null ? {} : figuresOf(onPaper, id)),
      ...(parity === undefined ? {} : { parityBpPerBar: parity }),
    },
  });
  if (decision.promoted) {
    if (runs?.head().chain !== record?.head.chain)
      throw new InputError(
        `runs were put on record in ${runs!.path} while ${name} was judged: nothing was promoted`,
        'promote again, so that they are counted',
      );
    const verdict = { ...decision, model: id, to, profile: profile.name };
    registry.promote(verdict, decision.exception, head, now);
  }
  const from = model.stage;
  const records = onPaper?.models ?? null;
  return { ...decision, id, name, from, to, profile: profile.name, instead: holder, onPaper: records };
}

/** Time on paper is the desk's; how much of it was this model's stands beside it. */
function figuresOf(
  { figures, models, modelDays }: PaperEvidence,
  id: string,
): Partial<Record<FigureName, Measured>> {
  const { paperDays } = figures;
  if (paperDays.value === null || models.every(({ model }) => model === id || model === null)) return figures;
  const days = modelDays?.byModel.get(id) ?? 0;
  return { ...figures, paperDays: { ...paperDays, note: `${days.toFixed(1)} of them with this model` } };
}

/** For how many days the desk traded this very model, in the bars that count as its time on paper. */
function ownDays({ modelDays }: PaperEvidence, id: string): Measured {
  if (modelDays === null)
    return { value: null, note: 'the journal does not say which model the desk traded' };
  const { all, byModel } = modelDays;
  const value = byModel.get(id) ?? 0;
  const others = [...byModel].flatMap(([one, days]) => (one === id || days === 0 ? [] : [one.slice(0, 12)]));
  const rest = others.length === 0 ? '' : `; others: ${others.join(', ')}`;
  return { value, note: `${value.toFixed(1)} of ${all.toFixed(1)} days${rest}` };
}

/** The desk of a model's name in the books: `S1_RX68_BTC_15M` is `s1-rx68-btc-15m`. */
const deskOfModel = (name: string): string => name.toLowerCase().replaceAll('_', '-');
