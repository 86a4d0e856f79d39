import { InputError } from '#base';
import { type Grid, type Oracle, type PlayedVariant, pointText, type SweepFigures } from '#research';
import { deskHash, deskWith, type FoundDesk } from '../load-desk.ts';
import { type RecordedData, runBacktest } from '../run-backtest.ts';
import { type SweepIdentity, variantHash } from './sweep-plan.ts';

/** What all variants of a sweep have in common; nothing of it is read from a file any more. */
export interface VariantSetting {
  readonly found: FoundDesk;
  readonly data: RecordedData;
  readonly oracle: Oracle | null;
  readonly grid: Grid;
  readonly identity: SweepIdentity;
}

/**
 * Plays one variant exactly as `quorum backtest` would. Null when `keepsOn` said no on the way. An error says which variant
 * it was.
 */
export async function runVariant(
  setting: VariantSetting,
  variant: number,
  keepsOn?: () => boolean,
): Promise<PlayedVariant | null> {
  const { found, data, oracle, grid, identity } = setting;
  const { cash, feeBps, slippageBps, seed } = identity;
  const point = grid.pointAt(variant);
  try {
    const desk = deskWith(found, { ...identity.set, ...point });
    const { summary, result, study, curve } = await runBacktest({
      desk,
      recorded: data,
      oracle,
      cash,
      feeBps,
      slippageBps,
      seed,
      // what was read of which files, and of what span, is the tape by now
      bars: [],
      funding: [],
      tapes: [],
      from: null,
      to: null,
      trace: 'none',
      out: null,
      ...(keepsOn === undefined ? {} : { onProgress: keepsOn }),
    });
    if (!result.finished) return null;
    const row = {
      variant,
      parameters: point,
      figures: figuresOf(summary),
      engine: 'loop' as const,
      variantHash: variantHash(identity, deskHash(desk)),
      notes: summary.notes as string[],
      stamps: summary.stamps as string[],
    };
    return { row, daily: { start: study.definition.cash, closes: Float64Array.from(curve.daily) } };
  } catch (error) {
    throw withVariant(error, pointText(point));
  }
}

export function withVariant(error: unknown, where: string): unknown {
  if (error instanceof InputError) return new InputError(`${error.message} (at ${where})`, error.mend);
  if (error instanceof Error) error.message += ` (at ${where})`;
  return error;
}

function figuresOf(summary: Record<string, unknown>): SweepFigures {
  const text = (key: string) => summary[key] as string;
  const number = (key: string) => summary[key] as number;
  const cash = Number(text('cashStart'));
  return {
    trades: number('trades'),
    return: cash > 0 ? Number(text('equityEnd')) / cash - 1 : null,
    sharpe: summary.sharpe as number | null,
    maxDrawdown: number('maxDrawdown'),
    equityEnd: text('equityEnd'),
    realised: text('realised'),
    unrealised: text('unrealised'),
    fees: text('fees'),
    funding: text('funding'),
    orders: number('orders'),
    fills: number('fills'),
    commands: number('commands'),
    commandsHash: text('commandsHash'),
  };
}
