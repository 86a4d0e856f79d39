import type { ResponseOf } from '@contract';
import type { Tone } from '../../ui/badge.tsx';
import { span } from '../../ui/format.ts';
import type { IconName } from '../../ui/icon.tsx';

export type Matrix = ResponseOf<'matrix'>;
export type Cell = Matrix['cells'][number];
export type Family = Matrix['families'][number];
export type KillSwitch = Matrix['killSwitches'][number];
export type DeskModel = NonNullable<Cell['model']>;
export type Parity = DeskModel['parity'];

/** After so many bars without one a feed is old. */
const STALE_BARS = 3;
/** Share of the band from which on it is nearly used up. */
const NEAR = 0.75;
const DAY_MS = 86_400_000;
/** Limits that the desks themselves hold to unless told otherwise; shown, never acted on here. */
export const PARITY_LIMIT_BP = 1;
export const MODEL_AGE_LIMIT_MS = 14 * DAY_MS;

export interface Look {
  readonly name: string;
  readonly tone: Tone;
  readonly icon: IconName;
  /** Why, in words. */
  readonly says: string;
}

/** How a config stands: the first thing that keeps it from entering, else that nothing does. */
export function standingOf(cell: Cell, at: number): Look {
  const { killSwitches, model, lastBarAt, intervalMs, bars, warmUpBars } = cell;
  if (killSwitches.length > 0) {
    const says = `Kill switch ${killSwitches.join(' and ')} has tripped; a person must reset it`;
    const own = killSwitches.includes(cell.desk);
    return { name: own ? 'tripped' : 'group tripped', tone: 'strong', icon: 'stop', says };
  }
  if (!cell.running)
    return { name: 'stopped', tone: 'danger', icon: 'pause', says: 'An operator has stopped its entries' };
  if (lastBarAt !== null && at - lastBarAt > STALE_BARS * intervalMs) {
    const says = `No bar for ${span(at - lastBarAt)}: nothing is decided on old bars`;
    return { name: 'feed old', tone: 'warn', icon: 'clock', says };
  }
  if (model !== null && model.fault !== null)
    return {
      name: model.id === null ? 'no model' : 'model unfit',
      tone: 'warn',
      icon: 'warning',
      says: model.fault,
    };
  if (bars < warmUpBars)
    return {
      name: 'warming up',
      tone: 'plain',
      icon: 'clock',
      says: `${bars} of ${warmUpBars} bars before the first decision`,
    };
  return { name: 'ready', tone: 'plain', icon: 'check', says: 'Decides at every bar' };
}

/** How much of the band the largest fall has used, and what that means; null where no band is set. */
export function bandOf({ drawdownMax, drawdownLimit }: Pick<Cell, 'drawdownMax' | 'drawdownLimit'>): {
  readonly share: number;
  readonly state: 'fine' | 'near' | 'over';
} | null {
  if (drawdownLimit === null || drawdownLimit <= 0) return null;
  const share = drawdownMax / drawdownLimit;
  return { share, state: share > 1 ? 'over' : share >= NEAR ? 'near' : 'fine' };
}

/** Parity in words: unknown is neither good nor bad. */
export function parityOf(parity: Parity): {
  readonly text: string;
  readonly state: 'unknown' | 'fine' | 'over';
} {
  if (parity === null) return { text: 'not compared', state: 'unknown' };
  if (parity.meanBp === null) return { text: 'unknown', state: 'unknown' };
  const state = parity.meanBp > PARITY_LIMIT_BP ? 'over' : 'fine';
  return { text: `${parity.meanBp.toFixed(2)} bp`, state };
}

/** A profit factor: none before a trade, infinite while nothing was lost. */
export function profitFactorText({ profitFactor, trades }: Pick<Cell, 'profitFactor' | 'trades'>): string {
  if (profitFactor !== null) return profitFactor.toFixed(2);
  return trades.won > 0 ? '∞' : '–';
}

/** Cells of a family by symbol, each row in the order of the timeframes. A config that does not run leaves a gap. */
export function rowsOf(
  { name, symbols, timeframes }: Family,
  cells: readonly Cell[],
): readonly { readonly symbol: string; readonly slots: readonly (readonly Cell[])[] }[] {
  const own = cells.filter((cell) => cell.family === name);
  return symbols.map((symbol) => ({
    symbol,
    slots: timeframes.map(({ ms }) => own.filter((cell) => cell.symbol === symbol && cell.intervalMs === ms)),
  }));
}

/** `drawdown`, or the words of the desk's own watch. */
export function causeOf({ trigger, text, measured, needed }: KillSwitch): string {
  if (trigger === null) return '';
  const figures =
    measured === null ? '' : ` (${figure(measured)}${needed === null ? '' : `, limit ${figure(needed)}`})`;
  return `${text ?? trigger}${figures}`;
}

const figure = (value: number) => String(Number(value.toPrecision(4)));
