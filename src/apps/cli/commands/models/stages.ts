import { Command } from 'commander';
import type { HeldStage } from '#adapters';
import type { ModelPromotionOutcome } from '../../../models/promote-model.ts';
import type { ModelOnPaper } from '../../../promotion/model-record.ts';
import { criteriaLines, exceptionLines, readSignature } from '../../criteria-text.ts';
import { type RegistryOptions, withRegistryOption } from '../../registry-options.ts';
import { EXIT, paint, Terminal, table } from '../../terminal.ts';
import { type ModelsOptions, shortId, stageOption, withModelsOptions } from './options.ts';

interface PromoteOptions extends ModelsOptions, RegistryOptions {
  to: HeldStage;
  profile?: string;
  paper?: string;
  sign?: string;
}

export function promoteCommand(): Command {
  const command = new Command('promote')
    .description('Let a model go to paper or live, or refuse: each criterion with its figure.')
    .argument('<model>', 'an id or the beginning of one, or NAME for the newest')
    .addOption(stageOption('--to <stage>', 'where it shall go'))
    .option(
      '--profile <name>',
      's1, fleet, sigma or a JSON file; the usual one of its name when left out; adds to s1 what is of S1',
    )
    .option('--paper <dir>', 'the folder of the paper portfolio whose desk trades this name')
    .option('--sign "<name: reason>"', 'sign for a DSR or PBO that is not met; put on record');
  return withRegistryOption(withModelsOptions(command))
    .addHelpText(
      'after',
      `
A candidate goes to paper, a model on paper goes live. Asked for: evidence of this very model on the data it was made from, with
passport and runs on record, no stamp, no refusal of its trainer, better than the one it follows on the last 10 windows, and the
profile. What is not known is not met. DSR and PBO are reckoned over every training of the config on record. Evidence that came in a file
counts where the record of runs here holds its runs and figures, or where a trusted key signed it. With --paper, time and uptime are
measured in its journal and, for live, how much of it this very model traded, and parity in the bars of its webhook feed: what the
chart's script sent beside our features. Exit code 4: refused.

Example:
  $ quorum models promote S1_RX68_BTC_15M --to paper`,
    )
    .action(runPromote);
}

async function runPromote(reference: string, options: PromoteOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const exception = options.sign === undefined ? null : readSignature(options.sign);
  const { requireModel, RunRegistry } = await import('#adapters');
  const { existingModels } = await import('../../../models/models-folder.ts');
  const { promoteModel } = await import('../../../models/promote-model.ts');
  const { readProfile } = await import('../../../promotion/read-profile.ts');
  const { registryFile } = await import('../../../setup/registry/open-registry.ts');
  const { parityOnPaper } = await import('../../../validate/parity-on-paper.ts');
  const registry = existingModels(options);
  const runs = RunRegistry.openExisting(registryFile(options));
  try {
    const model = requireModel(registry, reference);
    const { parameters } = registry.artefact(model.id).training;
    const isLive = options.to === 'live' && options.paper !== undefined;
    const parity = isLive ? await parityOnPaper(options.paper!, model.name, parameters) : undefined;
    const outcome = promoteModel(registry, {
      model,
      to: options.to,
      profile: readProfile(options.profile ?? null, model.name.toLowerCase()),
      exception,
      paper: options.paper ?? null,
      runs,
      ...(parity === undefined ? {} : { parity }),
    });
    terminal.result({ ...outcome });
    sayPromotion(terminal, outcome);
    if (!outcome.promoted) process.exitCode = EXIT.refused;
  } finally {
    runs?.close();
    registry.close();
  }
}

function sayPromotion(terminal: Terminal, outcome: ModelPromotionOutcome): void {
  const { name, id, from, to, profile, criteria, exception, promoted, instead, onPaper } = outcome;
  terminal.say(paint('1', `${name} ${shortId(id)}: ${from} -> ${to}, profile ${profile}`));
  for (const line of criteriaLines(criteria)) terminal.say(line);
  for (const line of exceptionLines(criteria, exception)) terminal.say(line);
  for (const line of onPaperLines(onPaper ?? [], id)) terminal.say(line);
  const failed = criteria.filter(({ verdict }) => verdict === 'not met' || verdict === 'unknown').length;
  terminal.say();
  if (!promoted)
    return terminal.say(paint('31', `REFUSED: ${failed} of ${criteria.length} criteria are not met`));
  terminal.say(paint('32', `promoted to ${to}`));
  if (instead !== null && instead !== id)
    terminal.say(`instead of ${shortId(instead)}; quorum models rollback ${name} --stage ${to} undoes it`);
}

/** What each model of the name did on paper: trades belong to the one that decided on their entry. */
function onPaperLines(records: readonly ModelOnPaper[], id: string): string[] {
  if (records.length === 0) return [];
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const rows = records.map(({ model, from, to, days, trades, won, net }) => [
    `  ${model === null ? 'none' : shortId(model)}${model === id ? ' (this one)' : ''}`,
    `${day(from)} to ${day(to)}`,
    days.toFixed(1),
    String(trades),
    trades === 0 ? '-' : `${((won / trades) * 100).toFixed(1)} %`,
    net,
  ]);
  return [
    '',
    'on paper',
    ...table([['  model', 'in place', 'days', 'trades', 'won', 'net'], ...rows], [2, 3, 4, 5]),
  ];
}

interface ReasonOptions extends ModelsOptions {
  reason: string;
}

export function rollbackCommand(): Command {
  const command = new Command('rollback')
    .description('Give a stage back to the model that held it before.')
    .argument('<name>', 'name of the models, such as S1_RX68_BTC_15M')
    .addOption(stageOption('--stage <stage>', 'which stage'))
    .option('--reason <text>', 'why; put on record', 'none given');
  return withModelsOptions(command)
    .addHelpText(
      'after',
      '\nDone again it goes one further back. Portfolios that run take the model up within a minute.\n\nExample:\n  $ quorum models rollback S1_RX68_BTC_15M --stage paper --reason "too many stops"',
    )
    .action(runRollback);
}

async function runRollback(name: string, options: ReasonOptions & { stage: HeldStage }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { actNow, existingModels } = await import('../../../models/models-folder.ts');
  const { stage, reason } = options;
  const registry = existingModels(options);
  try {
    const instead = registry.holder(name, stage);
    const id = registry.rollBack(name, stage, reason, actNow());
    terminal.result({ name, stage, id, instead });
    terminal.say(
      `${name}@${stage} is ${shortId(id)}${instead === null ? '' : ` instead of ${shortId(instead)}`}`,
    );
  } finally {
    registry.close();
  }
}

export function retireCommand(): Command {
  const command = new Command('retire')
    .description('Take a model out of every stage for good: nothing leads back to it.')
    .argument('<model>', 'an id or the beginning of one, NAME, or NAME@paper')
    .requiredOption('--reason <text>', 'why; put on record');
  return withModelsOptions(command)
    .addHelpText(
      'after',
      '\nA stage it held is empty until another is promoted or rolled back to: a desk without its model does not trade.\n\nExample:\n  $ quorum models retire S1_RX68_BTC_15M@live --reason "trained on damaged bars"',
    )
    .action(runRetire);
}

async function runRetire(reference: string, options: ReasonOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { requireModel } = await import('#adapters');
  const { actNow, existingModels } = await import('../../../models/models-folder.ts');
  const registry = existingModels(options);
  try {
    const { id, name, holds } = requireModel(registry, reference);
    registry.retire(id, options.reason, actNow());
    terminal.result({ id, name, held: holds });
    terminal.say(`${name} ${shortId(id)} is retired`);
    for (const stage of holds) terminal.warn(`nobody holds ${name}@${stage} now`);
  } finally {
    registry.close();
  }
}
