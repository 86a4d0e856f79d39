import { Command } from 'commander';
import { exportCommand, importCommand, publishCommand } from './models/exchange.ts';
import { predictCommand } from './models/predict.ts';
import { pruneCommand, verifyCommand } from './models/record.ts';
import { listCommand, showCommand } from './models/show.ts';
import { promoteCommand, retireCommand, rollbackCommand } from './models/stages.ts';
import { modelsFetchCommand } from './models-fetch.ts';

export function modelsCommand(): Command {
  const command = new Command('models').description(
    'Trained models: what there is, predictions, stages with roll-back, files in and out, publishing.',
  );
  for (const one of [
    listCommand(),
    showCommand(),
    predictCommand(),
    importCommand(),
    exportCommand(),
    promoteCommand(),
    rollbackCommand(),
    retireCommand(),
    publishCommand(),
    modelsFetchCommand(),
    pruneCommand(),
    verifyCommand(),
  ])
    command.addCommand(one);
  return command.addHelpText(
    'after',
    `
A model is named by its contents: the same data, seed and code give the same id. A reference is an id or the beginning of one,
NAME for the newest of a name, NAME@paper, NAME@live or NAME@candidate, or the path of a file.

Examples:
  $ quorum models list
  $ quorum models predict --model model.json --rows rows.csv --out scored.csv
  $ quorum models promote S1_RX68_BTC_15M --to paper`,
  );
}
