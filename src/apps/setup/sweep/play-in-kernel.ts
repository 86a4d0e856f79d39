import { formatDecimal } from '#base';
import { NO_TRACE } from '#engine';
import { type KernelOutcome, type PlayedVariant, playRules, pointText, type SweepFigures } from '#research';
import { deskHash, deskWith, type LoadedDesk } from '../load-desk.ts';
import { shapesOf } from '../run-backtest.ts';
import { dataNotes } from '../run-summary.ts';
import { buildStudy, type Study } from '../study.ts';
import { barsOf, kernelVerdictOf } from './kernel-verdict.ts';
import { type VariantSetting, withVariant } from './run-variant.ts';
import { variantHash } from './sweep-plan.ts';

/** A variant as the kernel played it, or why the loop has to. */
export type KernelVariant =
  | { readonly played: PlayedVariant; readonly reason: null }
  | { readonly played: null; readonly reason: string };

/** Plays variants as columns, all in one go; a variant of the loop has its reason. Errors say which variant it was. */
export function playInKernel(setting: VariantSetting, variants: readonly number[]): KernelVariant[] {
  const { found, data, grid, identity } = setting;
  const shapes = shapesOf(data.tape);
  const prepared = variants.map((variant) => {
    const point = grid.pointAt(variant);
    try {
      const desk = deskWith(found, { ...identity.set, ...point });
      const study = buildStudy(desk, shapes, identity, NO_TRACE);
      return { variant, desk, study, ...kernelVerdictOf(study, data) };
    } catch (error) {
      throw withVariant(error, pointText(point));
    }
  });
  const ruled = prepared.filter(({ rule }) => rule !== null);
  const plays =
    playRules(
      barsOf(data.tape),
      ruled.map(({ rule }) => rule!),
    ) ?? [];
  const playOf = new Map(ruled.map(({ variant }, i) => [variant, plays[i]!]));
  return prepared.map(({ variant, desk, study, reason }) => {
    const play = playOf.get(variant);
    if (play === undefined) return { played: null, reason: reason! };
    if (play.outcome === null) return { played: null, reason: play.reason };
    return { played: variantOf(setting, variant, desk, study, play.outcome), reason: null };
  });
}

function variantOf(
  { data, grid, identity }: VariantSetting,
  variant: number,
  desk: LoadedDesk,
  { definition, instruments }: Study,
  outcome: KernelOutcome,
): PlayedVariant {
  return {
    row: {
      variant,
      parameters: grid.pointAt(variant),
      figures: figuresOf(outcome, definition.cash, definition.baseMinorScale),
      engine: 'kernel',
      variantHash: variantHash(identity, deskHash(desk)),
      notes: dataNotes(instruments, data),
      stamps: [...(desk.parts.stamps ?? [])],
    },
    daily: { start: definition.cash, closes: outcome.daily },
  };
}

function figuresOf(outcome: KernelOutcome, cashStart: number, scale: number): SweepFigures {
  const money = (minor: number) => formatDecimal(minor, scale);
  const cash = Number(money(cashStart));
  const { trades, sharpe, maxDrawdown, orders, fills } = outcome;
  return {
    trades,
    return: cash > 0 ? Number(money(outcome.equityEnd)) / cash - 1 : null,
    sharpe,
    maxDrawdown,
    equityEnd: money(outcome.equityEnd),
    realised: money(outcome.realised),
    unrealised: money(outcome.unrealised),
    fees: money(outcome.fees),
    funding: '0',
    orders,
    fills,
    commands: null,
    commandsHash: null,
  };
}
