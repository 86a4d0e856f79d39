import { Command } from 'commander';
import { EXIT, Terminal } from '../../terminal.ts';
import { type ModelsOptions, shortId, withModelsOptions } from './options.ts';

interface PredictOptions extends ModelsOptions {
  model: string;
  rows: string;
  out: string;
  raw: boolean;
}

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Margin and probability of every row of a CSV file, by a model of the registry or of a file.',
    )
    .requiredOption(
      '--model <file|id>',
      'a reference (see quorum models --help), or a model file: ours, XGBoost JSON or UBJ',
    )
    .requiredOption('--rows <file.csv>', 'one row a line, .csv or .csv.gz; an empty cell is a missing value')
    .requiredOption('--out <file.csv>', 'where predictions go, one line a row; an existing file is replaced')
    .option('--raw', 'rows are scaled already, and probabilities are left as the trees state them', false);
  return withModelsOptions(command)
    .addHelpText(
      'after',
      `
Columns are matched by the names of a header where it has those of the model, else taken in their order. The model's scaler and
calibration are applied when it has them. Columns of the result: margin,probability; of several classes
margin_CLASS,... and probability_CLASS,...; of a regression margin,prediction.

Example:
  $ quorum models predict --model S1_RX68_BTC_15M@paper --rows rows.csv --out scored.csv`,
    )
    .action(run);
}

async function run(options: PredictOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { loadModel } = await import('../../../models/loaded-model.ts');
  const { predictRows } = await import('../../../models/predict-rows.ts');
  const model = loadModel(options.model, options);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('predict');
  const found = await predictRows({
    model,
    rows: options.rows,
    out: options.out,
    isRaw: options.raw,
    onProgress: bar.update,
    keepsOn: () => !isStopped,
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
  });
  if (found === null) {
    terminal.note('stopped: nothing was written');
    process.exitCode = EXIT.interrupted;
    return;
  }
  const { rows, columns, by, ignored, isScaled, isCalibrated, clippedRows } = found;
  terminal.result({ model: model.id, out: options.out, ...found });
  if (by === 'order' && model.features !== null)
    terminal.warn(`columns were taken in their order as ${model.features.join(', ')}`);
  if (ignored.length > 0) terminal.say(`not read: ${ignored.join(', ')}`);
  if (clippedRows > 0)
    terminal.warn(`${clippedRows} rows lie beyond 8 deviations of the training and were cut off there`);
  const how = [
    isScaled ? 'scaled' : 'not scaled',
    ...(columns.some((one) => one.startsWith('probability'))
      ? [isCalibrated ? 'calibrated' : 'probabilities of the trees']
      : []),
  ];
  const name = model.artefact === null ? options.model : `${model.artefact.name} ${shortId(model.id!)}`;
  terminal.say(`${rows} rows by ${name} (${how.join(', ')})`);
  terminal.say(`written to ${options.out}: ${columns.join(',')}`);
}
