import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunRegistry } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import {
  type Criterion,
  decidePromotion,
  type FigureName,
  type Measured,
  type Passport,
  type PromotionException,
  type PromotionProfile,
  type Stage,
} from '#research';
import { makePassport, PASSPORT_FILE, passportText } from '../passport/make-passport.ts';
import { programHash } from '../setup/code-hash.ts';
import { deskHash, loadDesk } from '../setup/load-desk.ts';
import { UNREGISTERED } from '../setup/registry/open-registry.ts';
import { configurationOfRun } from '../setup/replay-run.ts';
import { writeWholeFile } from '../whole-file.ts';
import { writeBundle } from './evidence-bundle.ts';
import { paperEvidence } from './paper-evidence.ts';
import { paperParity } from './paper-parity.ts';

export interface PromotionRequest {
  /** A finished backtest's directory. */
  readonly dir: string;
  readonly to: Exclude<Stage, 'research'>;
  readonly profile: (desk: string) => PromotionProfile;
  readonly exception: PromotionException | null;
  /** Folder of the paper portfolio that traded the desk; null without. */
  readonly paper: string | null;
  /** A backtest over the bars it was on paper for; null is the run itself. */
  readonly against: string | null;
  readonly registry: RunRegistry;
  /** Where the bundle goes; null is beside the registry. */
  readonly out: string | null;
  readonly onProgress: (done: number, total: number) => boolean;
}

export interface PromotionOutcome {
  readonly promoted: boolean;
  readonly desk: string;
  readonly deskHash: string;
  readonly from: Stage;
  readonly to: Stage;
  readonly profile: string;
  readonly criteria: readonly Criterion[];
  readonly exception: PromotionException | null;
  readonly passport: Passport;
  /** Folder of the evidence. */
  readonly bundle: string;
  readonly bundleHash: string;
}

/**
 * Judges a run's desk and writes the evidence, whatever the verdict; a desk that is let through has its new stage on record.
 * The passport is made anew from the run and the registry: no file that could have been edited is believed. Null when it was
 * stopped.
 */
export async function promote(request: PromotionRequest): Promise<PromotionOutcome | null> {
  const { dir, to, registry, onProgress, exception } = request;
  if (request.out !== null) refuseOther(request.out);
  const passport = await makePassport({ dir, registry, onProgress });
  if (passport === null) return null;
  const profile = request.profile(passport.desk);
  const from = registry.stageOf(passport.deskHash);
  if (request.against !== null) requireRunOf(request.against, passport);
  const paper = request.paper === null ? null : paperEvidence(request.paper, passport, Date.now());
  const figures: Partial<Record<FigureName, Measured>> = { ...figuresOf(passport), ...paper?.figures };
  if (request.paper !== null && to === 'live') {
    figures.parityBpPerBar = await paperParity(request.paper, request.against ?? dir, () => onProgress(1, 1));
  }
  const decision = decidePromotion({
    to,
    profile,
    stage: from,
    interval: passport.interval,
    figures,
    stamps: [...passport.stamps.filter((stamp) => stamp !== UNREGISTERED), ...(paper?.stamps ?? [])],
    isRegistered: !passport.stamps.includes(UNREGISTERED),
    exception,
  });
  writeWholeFile(join(dir, PASSPORT_FILE), [passportText(passport)]);
  const at = Date.now();
  const by = `${userInfo().username}@${hostname()}`;
  const promotion = {
    schemaVersion: 1,
    promoted: decision.promoted,
    desk: passport.desk,
    deskHash: passport.deskHash,
    parameters: passport.parameters,
    from,
    to,
    profile: profile.name,
    criteria: decision.criteria,
    exception: decision.exception,
    at,
    by,
    paper: request.paper,
  };
  const name = `${passport.desk}-${to}-${sha256(canonicalJson(promotion)).slice(0, 12)}`;
  const bundle = request.out ?? join(dirname(registry.path), 'promotions', name);
  refuseOther(bundle);
  const { hash } = writeBundle(
    bundle,
    {
      'summary.json': readFileSync(join(dir, 'summary.json'), 'utf8'),
      'inputs.json': readFileSync(join(dir, 'inputs.json'), 'utf8'),
      'passport.json': passportText(passport),
      'profile.json': jsonText(profile),
      'promotion.json': jsonText(promotion),
    },
    {
      named: {
        journal: passport.journalHash,
        program: programHash(),
        deskSource: deskSourceOf(passport, registry),
        deskHash: passport.deskHash,
        trial: /^[0-9a-f]{64}$/.test(passport.trialHash) ? passport.trialHash : sha256(''),
      },
      registry: { entries: passport.registry.entries, head: passport.registry.head },
    },
  );
  if (decision.promoted) {
    const stage = {
      desk: passport.desk,
      deskHash: passport.deskHash,
      from,
      to,
      at,
      by,
      trialHash: passport.trialHash,
      profile: profile.name,
      bundle: hash,
      exception: decision.exception,
    };
    try {
      registry.promote(stage, { entries: passport.registry.entries, chain: passport.registry.head });
    } catch (error) {
      // no evidence of a promotion that is not on record
      rmSync(bundle, { recursive: true });
      throw error;
    }
  }
  return {
    promoted: decision.promoted,
    desk: passport.desk,
    deskHash: passport.deskHash,
    from,
    to,
    profile: profile.name,
    criteria: decision.criteria,
    exception: decision.exception,
    passport,
    bundle,
    bundleHash: hash,
  };
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function refuseOther(bundle: string): void {
  if (!existsSync(bundle)) return;
  throw new InputError(
    `${bundle} exists already`,
    'name a new folder with --out: evidence is never written over',
  );
}

/** Whoever holds paper against itself, or against another desk, finds no drift, or any. */
function requireRunOf(against: string, { desk, deskHash: hash }: Passport): void {
  if (!existsSync(join(against, 'journal')))
    throw new InputError(
      `${against} has no journal`,
      'give --against the directory that backtest --out wrote',
    );
  const configuration = configurationOfRun(against);
  if (configuration.kind === 'backtest' && configuration.deskHash === hash) return;
  throw new InputError(
    `${against} is no backtest of ${desk} with exactly the parameters of the run`,
    'run it over the bars it was on paper for, and give --against that directory',
  );
}

function figuresOf({ run, evidence }: Passport): Partial<Record<FigureName, Measured>> {
  const noLoss = run.profitFactor === null && run.hasNoLoss;
  const { pbo, noPbo } = evidence;
  return {
    profitFactor: noLoss ? { value: null, note: 'no loss', passes: true } : { value: run.profitFactor },
    winRate: { value: run.winRate },
    maxDrawdown: { value: run.maxDrawdown },
    trades: { value: run.trades },
    sharpe: { value: run.sharpe, note: `daily, x sqrt ${run.periodsPerYear}` },
    expectancy: { value: run.expectancy },
    dsr: { value: evidence.dsr, note: `${evidence.trials} trials, ${evidence.effective} in effect` },
    pbo:
      pbo === null
        ? { value: null, note: noPbo ?? 'unknown', passes: noPbo === 'nothing was chosen' }
        : { value: pbo, note: `${evidence.pboStrategies} strategies` },
  };
}

function deskSourceOf(passport: Passport, registry: RunRegistry): string {
  const own = registry.trials().trials.find(({ hash }) => hash === passport.trialHash);
  return own?.desk.source ?? sha256('');
}

/**
 * The run that speaks for what a person named: a run's directory as it is; of a desk, the newest directory on record that
 * holds a run of it with exactly these parameters.
 */
export async function runOf(
  named: string,
  assignments: readonly string[],
  registry: RunRegistry,
): Promise<string> {
  const isRun = existsSync(join(named, 'journal')) && statSync(named).isDirectory();
  if (isRun) {
    if (assignments.length === 0) return named;
    throw new InputError(
      `${named} is a run's directory: its parameters are those it was run with`,
      'leave --set out',
    );
  }
  const desk = await loadDesk(named, assignments);
  const hash = deskHash(desk);
  const found = registry.placesOf(hash).find((dir) => holdsRunOf(dir, hash));
  if (found !== undefined) return found;
  throw new InputError(
    `no directory of a run of ${named} with these parameters is on record`,
    `run quorum backtest ${named} ... --out DIR first, or name the directory itself`,
  );
}

function holdsRunOf(dir: string, hash: string): boolean {
  if (!existsSync(join(dir, 'journal')) || !existsSync(join(dir, 'summary.json'))) return false;
  try {
    return configurationOfRun(dir).deskHash === hash;
  } catch {
    return false;
  }
}
