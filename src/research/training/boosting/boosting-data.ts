import { InputError } from '#base';
import type { BoostingData, BoostingMatrix, BoostingRows, BoostingSettings } from './boosting-options.ts';

export interface MatrixSize {
  readonly rows: number;
  readonly features: number;
}

/** Throws InputError where columns differ in length, or values are more or fewer than rows and features say. */
export function sizeOf(matrix: BoostingMatrix, name: string): MatrixSize {
  if ('columns' in matrix) {
    const { columns } = matrix;
    const rows = columns[0]?.length ?? 0;
    const other = columns.findIndex(({ length }) => length !== rows);
    if (other !== -1) {
      throw new InputError(
        `column ${other} of the ${name} has ${columns[other]!.length} values, column 0 has ${rows}`,
        'give columns of equal length',
      );
    }
    return checked({ rows, features: columns.length }, name);
  }
  const { values, rows, features } = matrix;
  if (values.length !== rows * features) {
    throw new InputError(
      `the ${name} have ${values.length} values for ${rows} rows of ${features} features`,
      'give rows times features values',
    );
  }
  return checked({ rows, features }, name);
}

function checked(size: MatrixSize, name: string): MatrixSize {
  const { rows, features } = size;
  if (!Number.isInteger(rows) || rows < 1)
    throw new InputError(`the ${name} are empty`, 'give at least one row');
  if (!Number.isInteger(features) || features < 1) {
    throw new InputError(`the ${name} have no features`, 'give at least one column');
  }
  return size;
}

function checkLabels(
  labels: Float32Array,
  { objective, outputs, metric }: BoostingSettings,
  name: string,
): void {
  const fits = {
    'binary:logistic': (label: number) => label >= 0 && label <= 1,
    'multi:softprob': (label: number) => Number.isInteger(label) && label >= 0 && label < outputs,
    'reg:squarederror': (label: number) => Number.isFinite(label),
  }[objective];
  const wrong = labels.findIndex((label) => !fits(label));
  if (wrong !== -1) {
    const wanted = {
      'binary:logistic': 'labels from 0 to 1',
      'multi:softprob': `labels 0 to ${outputs - 1}`,
      'reg:squarederror': 'finite labels',
    }[objective];
    throw new InputError(`row ${wrong} of the ${name} has the label ${labels[wrong]}`, `give ${wanted}`);
  }
  if (metric === 'auc' && !(labels.some((label) => label > 0) && labels.some((label) => label < 1))) {
    throw new InputError(`the ${name} are all of one class, which auc cannot measure`, 'give rows of both');
  }
}

function checkRows(data: BoostingRows, size: MatrixSize, settings: BoostingSettings, name: string): void {
  const { labels, weights } = data;
  if (labels.length !== size.rows) {
    throw new InputError(
      `the ${name} have ${labels.length} labels for ${size.rows} rows`,
      'give one per row',
    );
  }
  checkLabels(labels, settings, name);
  if (weights === undefined) return;
  if (weights.length !== size.rows) {
    throw new InputError(
      `the ${name} have ${weights.length} weights for ${size.rows} rows`,
      'give one per row',
    );
  }
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong !== -1) {
    throw new InputError(
      `row ${wrong} of the ${name} has the weight ${weights[wrong]}`,
      'give finite weights, at least 0',
    );
  }
  if (!weights.some((weight) => weight > 0)) {
    throw new InputError(`no row of the ${name} weighs anything`, 'give some row a weight above 0');
  }
}

/** Throws InputError for labels, weights or validation rows that do not fit. Values are looked at when they are put into bins. */
export function checkBoostingData(data: BoostingData, size: MatrixSize, settings: BoostingSettings): void {
  const validated = settings.metric === 'auc' && !settings.watchTraining;
  checkRows(data, size, validated ? { ...settings, metric: 'logloss' } : settings, 'training rows');
  if (data.validation === undefined) return;
  const validation = sizeOf(data.validation, 'validation rows');
  if (validation.features !== size.features) {
    throw new InputError(
      `the validation rows have ${validation.features} features, the training rows ${size.features}`,
      'give the same columns in the same order',
    );
  }
  checkRows(data.validation, validation, settings, 'validation rows');
}
