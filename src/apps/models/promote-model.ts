import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type HeldStage,
  type ModelEntry,
  type ModelRegistry,
  type RunRegistry,
  readJournal,
} from '#adapters';
import { DAY, InputError } from '#base';
import {
  type Criterion,
  decideModelPromotion,
  type FigureName,
  type Measured,
  type ModelStage,
  type PromotionException,
  type PromotionProfile,
} from '#research';
import type { ModelOnPaper } from '../promotion/model-record.ts';
import { type PaperEvidence, paperEvidence } from '../promotion/paper-evidence.ts';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { heldEvidence, trustedKeys } from './held-evidence.ts';
import { actNow } from './models-folder.ts';
import { ownPaperDays } from './own-paper-days.ts';

export interface ModelPromotionRequest {
  readonly model: ModelEntry;
  readonly to: HeldStage;
  readonly profile: PromotionProfile;
  readonly exception: PromotionException | null;
  /** Folder of the paper portfolio whose desk trades the model's name; null without. */
  readonly paper: string | null;
  /** The record of runs on this machine, which bears out what was brought in; null where there is none. */
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

/** Judges a model by what is on record, and stages it when it is let through. Time on paper is measured here and now. */
export function promoteModel(
  registry: ModelRegistry,
  { model, to, profile, exception, paper, runs, parity }: ModelPromotionRequest,
): ModelPromotionOutcome {
  const head = registry.head();
  const { id, name } = model;
  const artefact = registry.artefact(id);
  const { interval, dataHash, instrument } = artefact.training;
  const now = actNow();
  // all of it, entry by entry: what somebody put in bears nothing out
  runs?.verify();
  const onPaper = paper === null ? null : timeOnPaper(paper, name, instrument, now.at);
  const holder = registry.holder(name, to);
  const decision = decideModelPromotion({
    to,
    profile,
    id,
    stage: model.stage,
    interval,
    dataHash,
    stamps: [...artefact.stamps, ...(onPaper?.stamps ?? [])],
    evidence: heldEvidence(registry, id, { runs, keys: trustedKeys(registry.folder) }),
    ...(paper === null || to === 'paper'
      ? {}
      : { ownPaperDays: ownPaperDays({ dir: paper, desk: deskOfModel(name), model: id, instrument }) }),
    holder,
    exception,
    measured: {
      ...(onPaper === null ? {} : figuresOf(onPaper, id)),
      ...(parity === undefined ? {} : { parityBpPerBar: parity }),
    },
  });
  if (decision.promoted) {
    const verdict = { ...decision, model: id, to, profile: profile.name };
    registry.promote(verdict, decision.exception, head, now);
  }
  const from = model.stage;
  const records = onPaper?.models ?? null;
  return { ...decision, id, name, from, to, profile: profile.name, instead: holder, onPaper: records };
}

/** Time on paper is the desk's; how much of it was this model's stands beside it. */
function figuresOf({ figures, models }: PaperEvidence, id: string): Partial<Record<FigureName, Measured>> {
  const { paperDays } = figures;
  if (paperDays.value === null || models.every(({ model }) => model === id || model === null)) return figures;
  const own = models.find(({ model }) => model === id);
  const days = own === undefined ? 0 : (own.to - own.from) / DAY;
  return { ...figures, paperDays: { ...paperDays, note: `${days.toFixed(1)} of them with this model` } };
}

/** The desk of a model's name in the books: `S1_RX68_BTC_15M` is `s1-rx68-btc-15m`. */
export const deskOfModel = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/**
 * How long, and how steadily, the desk of a name has been on paper: of the name, whichever of its models traded, but for the time
 * without any. What each of them did is told apart.
 */
function timeOnPaper(dir: string, name: string, instrument: string, now: number): PaperEvidence {
  const desk = deskOfModel(name);
  const path = join(dir, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${dir} has no journal`,
      'give the folder of a paper portfolio, such as .quorum/mine',
    );
  for (const { kind, text } of readJournal(path)) {
    const header = kind === 'header' ? (JSON.parse(text) as Partial<PaperHeader>) : null;
    if (header?.kind === 'paper' && header.desks?.some((one) => one.name === desk))
      return paperEvidence(dir, { desk, deskHash: null, instruments: [instrument] }, now);
    break;
  }
  throw new InputError(
    `${dir} is no paper portfolio in which ${desk} trades`,
    'name the folder of the portfolio that has the desk of this model',
  );
}
