import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, readFeatureRows, withPath } from '#adapters';
import { InputError } from '#base';
import { type LoadedModel, RowScorer } from './loaded-model.ts';

export interface PredictRequest {
  readonly model: LoadedModel;
  readonly rows: string;
  readonly out: string;
  /** Rows are scaled already, and probabilities are the model's own. */
  readonly isRaw: boolean;
  readonly onProgress: (done: number, total: number) => void;
  readonly keepsOn: () => boolean;
}

export interface Prediction {
  readonly rows: number;
  readonly columns: readonly string[];
  /** How the file's columns were matched with the model's. */
  readonly by: 'names' | 'order';
  readonly ignored: readonly string[];
  readonly isScaled: boolean;
  readonly isCalibrated: boolean;
  /** Rows of which a scaled value was cut off. */
  readonly clippedRows: number;
}

/** Text that is kept before it is written. */
const KEPT = 1024 * 1024;

/**
 * Scores every row of a file and writes margins and probabilities (of a model that has none: predictions), one line a row, in
 * bounded memory. The file appears whole or not at all. Null when it was stopped.
 */
export async function predictRows(request: PredictRequest): Promise<Prediction | null> {
  const { model, rows: path, out, isRaw } = request;
  if (existsSync(out) && realpathSync(out) === realpathSync(path))
    throw new InputError(`${out} is the file of the rows`, 'choose another name with --out');
  const scorer = new RowScorer(model, isRaw);
  const columns = columnsOf(scorer, model.classes);
  makeFolder(dirname(out));
  const part = `${out}.part`;
  const fd = openSync(part, 'w');
  let isWhole = false;
  try {
    let text = `${columns.map(cell).join(',')}\n`;
    const flush = () => {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      text = '';
    };
    const read = await readFeatureRows(path, {
      names: model.features,
      count: model.trees.features,
      progress: request.onProgress,
      keepsOn: request.keepsOn,
      row: (row) => {
        scorer.score(row);
        text += lineOf(scorer);
        if (text.length > KEPT) flush();
      },
    });
    flush();
    fsyncSync(fd);
    isWhole = read.isWhole;
    if (!isWhole) return null;
    const { rows, by, ignored } = read;
    const { isScaled, isCalibrated, clippedRows } = scorer;
    return { rows, columns, by, ignored, isScaled, isCalibrated, clippedRows };
  } catch (error) {
    throw withPath(out, error);
  } finally {
    closeSync(fd);
    if (isWhole) renameSync(part, out);
    else rmSync(part, { force: true });
  }
}

function columnsOf({ outputs, hasProbabilities }: RowScorer, classes: readonly string[] | null): string[] {
  const second = hasProbabilities ? 'probability' : 'prediction';
  if (outputs === 1) return ['margin', second];
  const names = classes ?? Array.from({ length: outputs }, (_, k) => String(k));
  return ['margin', second].flatMap((word) => names.map((name) => `${word}_${name}`));
}

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Margins are float32: nine digits say all of it. */
const DIGITS = 9;

function lineOf({ margins, probabilities, outputs }: RowScorer): string {
  let line = '';
  for (let k = 0; k < outputs; k++) line += `${Number(margins[k]!.toPrecision(DIGITS))},`;
  for (let k = 0; k < outputs; k++) line += `${probabilities[k]!}${k === outputs - 1 ? '\n' : ','}`;
  return line;
}
