import type { z } from 'zod';
import { formatInterval } from '#base';
import type { baselines, deskModel, MATRIX_ROUTES } from '../../../contract/areas/matrix.ts';
import type { AnswerOf } from '../../../contract/index.ts';
import { S1_SEED_BASELINES } from '../../../models/s1-results.ts';
import type { BookAnswer, DesksAnswer, ModelAnswer } from '../../../runner/control-answers.ts';
import type { RegisteredModel } from '../../data/registered-models.ts';

type Matrix = AnswerOf<(typeof MATRIX_ROUTES)['matrix']>;
type Cell = Matrix['cells'][number];

/** Figures that came with the description of a family of desks; null for all others. */
export function baselinesOf(family: string): z.output<typeof baselines> | null {
  return family === 's1-momentum' ? S1_SEED_BASELINES : null;
}

/** A running portfolio's desks as a matrix, with the stages of their models. */
export function matrixView(desks: DesksAnswer, registered: readonly RegisteredModel[]): Matrix {
  const { at, currency, running, killSwitches, books } = desks;
  const families = [...new Set(books.map(({ family }) => family))];
  return {
    at,
    currency,
    running,
    families: families.map((name) =>
      familyView(
        name,
        books.filter(({ family }) => family === name),
      ),
    ),
    killSwitches: killSwitches.map((one) => ({ ...one, desks: [...one.desks] })),
    cells: books.map((book) => cellView(book, desks, registered)),
  };
}

/** Symbols in the order of the desks, timeframes from the shortest. */
function familyView(name: string, books: readonly BookAnswer[]): Matrix['families'][number] {
  const intervals = [...new Set(books.map(({ intervalMs }) => intervalMs))].sort((a, b) => a - b);
  return {
    name,
    symbols: [...new Set(books.map(({ underlying }) => underlying))],
    timeframes: intervals.map((ms) => ({ name: formatInterval(ms), ms })),
    baselines: baselinesOf(name),
  };
}

function cellView(
  book: BookAnswer,
  { running, killSwitches }: DesksAnswer,
  registered: readonly RegisteredModel[],
): Cell {
  const { won, lost, even } = book.trades;
  const n = won + lost + even;
  const { decision, model } = book;
  return {
    desk: book.desk,
    family: book.family,
    symbol: book.underlying,
    instrument: book.instrument,
    intervalMs: book.intervalMs,
    timeframe: formatInterval(book.intervalMs),
    running: running && !book.stopped,
    bars: book.bars,
    warmUpBars: book.warmUpBars,
    lastBarAt: book.lastBarAt,
    stamps: [...book.stamps],
    position: book.position,
    today: book.today,
    made: book.made,
    trades: { n, won, lost, even },
    profitFactor: book.loss > 0 ? book.profit / book.loss : null,
    winRate: n > 0 ? won / n : null,
    drawdown: book.drawdown,
    drawdownMax: book.drawdownMax,
    drawdownLimit: book.drawdownLimit,
    decision: decision === null ? null : { ...decision, verdicts: [...decision.verdicts] },
    model: model === null ? null : modelView(model, registered),
    killSwitches: killSwitches
      .filter(({ desks, trigger }) => trigger !== null && desks.includes(book.desk))
      .map(({ name }) => name),
  };
}

/** A desk knows the beginning of its model's id alone. */
export function modelView(
  model: ModelAnswer,
  registered: readonly RegisteredModel[],
): z.output<typeof deskModel> {
  const { id } = model;
  const known = id === null ? undefined : registered.find((one) => one.id.startsWith(id));
  return { ...model, stage: known?.stage ?? null };
}
