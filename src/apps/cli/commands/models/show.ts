import { Command, Option } from 'commander';
import type { LoggedEvent, ModelEntry } from '#adapters';
import { formatInstant } from '#base';
import type { EvidenceOrigin } from '#research';
import type { BoostedModel } from '#signals';
import { type RegistryOptions, withRegistryOption } from '../../registry-options.ts';
import { paint, Terminal, table } from '../../terminal.ts';
import { type ModelsOptions, shortId, withModelsOptions } from './options.ts';

interface ListOptions extends ModelsOptions, RegistryOptions {
  name?: string;
  stage?: string;
  all: boolean;
}

export function listCommand(): Command {
  const command = new Command('list')
    .description('Models by name: stage, age of the training, figures. The newest of each name is last.')
    .option('--name <name>', 'only models of this name')
    .addOption(
      new Option('--stage <stage>', 'only models of this stage').choices([
        'candidate',
        'paper',
        'live',
        'retired',
      ]),
    )
    .option('--all', 'also those that retention took away', false);
  return withRegistryOption(withModelsOptions(command))
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorum models list\n  $ quorum models list --name S1_RX68_BTC_15M --stage paper',
    )
    .action(runList);
}

/** Figures of a table: the ones that are known, three at most. */
const SHOWN = 3;

async function runList(options: ListOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { ModelRegistry } = await import('#adapters');
  const { stampsOf, withTrust } = await import('../../../models/held-evidence.ts');
  const { modelsFolder } = await import('../../../models/models-folder.ts');
  const folder = modelsFolder(options);
  const registry = ModelRegistry.openExisting(folder);
  const all =
    registry === null
      ? []
      : withTrust(folder, options, (trust) =>
          registry.entries().map((entry) => ({ ...entry, stamps: stampsOf(registry, entry, trust) })),
        );
  registry?.close();
  const entries = all.filter(
    ({ name, stage, isPruned }) =>
      (options.name === undefined || name === options.name) &&
      (options.stage === undefined || stage === options.stage) &&
      (options.all || !isPruned),
  );
  terminal.result({ folder, models: entries });
  if (entries.length === 0)
    return terminal.say(
      all.length === 0
        ? `no models in ${folder}; quorum models import brings one in`
        : `none of the ${all.length} models in ${folder}`,
    );
  const sorted = entries.toSorted(
    (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.position - b.position,
  );
  const rows = sorted.map((one) => [
    one.name,
    shortId(one.id),
    one.isPruned ? 'gone' : one.stage,
    one.trainedTo === 0 ? '-' : formatInstant(one.trainedTo).slice(0, 16),
    figuresOf(one),
    one.stamps.join('; '),
  ]);
  for (const line of table([['name', 'id', 'stage', 'trained to', 'figures', 'stamps'], ...rows]))
    terminal.say(line);
}

const figuresOf = ({ metrics }: ModelEntry): string =>
  Object.entries(metrics)
    .filter(([, value]) => value !== null)
    .slice(0, SHOWN)
    .map(([name, value]) => `${name} ${numberText(value!)}`)
    .join(', ');

const numberText = (value: number): string => String(Number(value.toPrecision(5)));

export function showCommand(): Command {
  const command = new Command('show')
    .description('All about one model: what it was made from, figures, stages, what speaks for it.')
    .argument('<model>', 'an id or the beginning of one, NAME, or NAME@paper');
  return withRegistryOption(withModelsOptions(command))
    .addHelpText('after', '\nExample:\n  $ quorum models show S1_RX68_BTC_15M@paper')
    .action(runShow);
}

async function runShow(reference: string, options: ModelsOptions & RegistryOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { requireModel, treesOf } = await import('#adapters');
  const { existingModels } = await import('../../../models/models-folder.ts');
  const { heldEvidence, stampsOf, withTrust } = await import('../../../models/held-evidence.ts');
  const { featureImportances, roundsOf } = await importances();
  const registry = existingModels(options);
  try {
    const entry = requireModel(registry, reference);
    const history = registry.history(entry.id);
    if (entry.isPruned) {
      terminal.result({ model: entry, history });
      terminal.say(paint('1', `${entry.name} ${entry.id}`));
      terminal.say('  taken away by retention; what is left is its record');
      return sayHistory(terminal, history);
    }
    const { model, ...artefact } = registry.artefact(entry.id);
    const trees = treesOf({ ...artefact, model });
    const importance = featureImportances(trees, artefact.features);
    const [held, stamps] = withTrust(
      registry.folder,
      options,
      (trust) => [heldEvidence(registry, entry.id, trust), stampsOf(registry, entry, trust)] as const,
    );
    const evidence = held.map(({ evidence }) => evidence);
    const origins = held.map(({ origin }) => origin);
    const shape = { objective: trees.objective, trees: trees.trees.length, rounds: roundsOf(trees) };
    terminal.result({ model: entry, artefact, trees: shape, importance, evidence, origins, stamps, history });
    terminal.say(paint('1', `${entry.name} ${entry.id}`));
    const { training, threshold, scaler, calibration } = artefact;
    const rows: [string, string][] = [
      ['stage', entry.holds.length > 1 ? entry.holds.join(' and ') : entry.stage],
      ['objective', `${shape.objective}, ${shape.trees} trees in ${shape.rounds} rounds`],
      ['classes', artefact.classes.join(', ')],
      ['features', artefact.features.join(', ')],
      ['scaler', scaler === null ? 'none' : shortId(scaler.hash)],
      ['calibration', calibration === null ? 'none' : calibration.map(({ kind }) => kind).join(', ')],
      ['threshold', `probability ${threshold.probabilityMin}, lead ${threshold.leadMin}`],
      ['trained on', trainedOn(training)],
      [
        'parameters',
        Object.entries(training.parameters)
          .map(([key, value]) => `${key} ${value}`)
          .join(', '),
      ],
      ['data', training.dataHash === '' ? '-' : shortId(training.dataHash)],
      ['follows', entry.parent === null ? '-' : shortId(entry.parent)],
      ['published', entry.published.join(', ') || '-'],
    ];
    for (const line of table(rows)) terminal.say(`  ${line}`);
    for (const [name, value] of Object.entries(artefact.metrics))
      terminal.say(`    ${name} ${value === null ? '-' : numberText(value)}`);
    if (importance.length > 0)
      terminal.say(
        `  gain: ${importance
          .slice(0, 5)
          .map(({ feature, share }) => `${feature} ${(share * 100).toFixed(1)} %`)
          .join(', ')}`,
      );
    for (const stamp of stamps) terminal.say(paint('33', `  STAMP: ${stamp}`));
    terminal.say(`  evidence: ${evidence.length === 0 ? 'none' : `${evidence.length} records`}`);
    for (const origin of origins) terminal.say(`    ${originWords(origin)}`);
    sayHistory(terminal, history);
  } finally {
    registry.close();
  }
}

async function importances() {
  const { importances: importanceOf, roundsOf } = await import('#signals');
  return {
    roundsOf,
    /** Shares of the total gain, the largest first; features without a split are left out. */
    featureImportances: (trees: BoostedModel, names: readonly string[]) => {
      const gains = importanceOf(trees, 'total_gain');
      const all = gains.reduce((sum, one) => sum + one, 0);
      return names
        .map((feature, k) => ({ feature, share: all > 0 ? gains[k]! / all : 0 }))
        .filter(({ share }) => share > 0)
        .sort((a, b) => b.share - a.share);
    },
  };
}

function trainedOn(training: {
  instrument: string;
  interval: string;
  from: number;
  to: number;
  rows: number;
}) {
  const { instrument, interval, from, to, rows } = training;
  if (to === 0) return 'not on record';
  const day = (at: number) => (at === 0 ? '?' : formatInstant(at).slice(0, 10));
  const span = `${day(from)} to ${day(to)}`;
  return [`${instrument} ${interval}`.trim(), span, rows > 0 ? `${rows} rows` : '']
    .filter(Boolean)
    .join(', ');
}

function originWords(origin: EvidenceOrigin): string {
  switch (origin.kind) {
    case 'here':
      return 'made here';
    case 'checked':
      return 'brought in; its runs and figures are on record here';
    case 'signed':
      return `brought in; signed by the trusted key ${shortId(origin.key)}`;
    case 'elsewhere':
      return `NOT OURS: ${origin.why}`;
  }
}

function sayHistory(terminal: Terminal, history: readonly LoggedEvent[]): void {
  terminal.say('  history');
  for (const { at, event } of history)
    terminal.say(`    ${formatInstant(at)} ${wordsOf(event)} by ${event.by}`);
}

function wordsOf(event: LoggedEvent['event']): string {
  switch (event.kind) {
    case 'registered':
      return event.from;
    case 'evidence':
      return `evidence ${shortId(event.evidence)}`;
    case 'staged':
      return `to ${event.stage} by profile ${event.profile}${event.exception === null ? '' : `, EXCEPTION signed by ${event.exception.name}`}`;
    case 'rolled-back':
      return `back to ${event.stage}: ${event.reason}`;
    case 'retired':
      return `retired: ${event.reason}`;
    case 'pruned':
      return 'taken away';
    case 'published':
      return `published to ${event.to}`;
  }
}
