import { InputError } from '#base';
import { type Grid, pointText, type SweepFigures, type SweepRow } from '#research';
import { deskHash, deskWith, type FoundDesk } from '../load-desk.ts';
import { type RecordedData, runBacktest } from '../run-backtest.ts';
import { type SweepIdentity, type SweepRequest, variantHash } from './sweep-plan.ts';

/** What all variants of a sweep have in common. */
export interface VariantSetting {
  readonly request: SweepRequest;
  readonly found: FoundDesk;
  readonly data: RecordedData;
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
): Promise<SweepRow | null> {
  const { request, found, data, grid, identity } = setting;
  const point = grid.pointAt(variant);
  try {
    const desk = deskWith(found, { ...identity.set, ...point });
    const { summary, result } = await runBacktest({
      ...request,
      desk,
      recorded: data,
      trace: 'none',
      out: null,
      ...(keepsOn === undefined ? {} : { onProgress: keepsOn }),
    });
    if (!result.finished) return null;
    return {
      variant,
      parameters: point,
      figures: figuresOf(summary),
      variantHash: variantHash(identity, deskHash(desk)),
      notes: summary.notes as string[],
      stamps: summary.stamps as string[],
    };
  } catch (error) {
    throw withVariant(error, pointText(point));
  }
}

function withVariant(error: unknown, where: string): unknown {
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
