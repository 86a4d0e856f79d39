import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { ModelRegistry, TravellingModel } from '#adapters';
import { InputError } from '#base';
import { instantArgument, numberArgument, wholeArgument } from '../../arguments.ts';
import { type RegistryOptions, withRegistryOption } from '../../registry-options.ts';
import { Terminal } from '../../terminal.ts';
import { listArgument, type ModelsOptions, shortId, withModelsOptions } from './options.ts';

interface ImportOptions extends ModelsOptions, RegistryOptions {
  name?: string;
  features?: readonly string[];
  classes?: readonly string[];
  instrument?: string;
  interval?: string;
  trainedFrom?: number;
  trainedTo?: number;
  probabilityMin?: number;
  leadMin?: number;
  parent?: string;
}

export function importCommand(): Command {
  const command = new Command('import')
    .description(
      'Bring a model into the registry, as a candidate: an exported one, or one that XGBoost saved.',
    )
    .argument('<file>', 'what quorum models export wrote, or a .json or .ubj that XGBoost saved')
    .option('--name <name>', 'XGBoost file: its name here, such as MY_MODEL_15M')
    .option(
      '--features <a,b,...>',
      'XGBoost file: its columns in order, when the file does not say',
      listArgument,
    )
    .option('--classes <a,b,...>', 'XGBoost file: its classes in the order of the labels', listArgument)
    .option('--instrument <id>', 'XGBoost file: what it was trained on')
    .option('--interval <span>', 'XGBoost file: bars it was trained on, such as 15m')
    .option('--trained-from <time>', 'XGBoost file: first bar of the training', instantArgument)
    .option('--trained-to <time>', 'XGBoost file: last bar; its age counts from here', instantArgument)
    .option('--probability-min <p>', 'XGBoost file: what a probability must reach; 0.5', numberArgument(1))
    .option('--lead-min <p>', 'XGBoost file: by how much it must lead its opposite; 0', numberArgument(1))
    .option('--parent <model>', 'XGBoost file: the model of the registry that it follows');
  return withRegistryOption(withModelsOptions(command))
    .addHelpText(
      'after',
      `
An exported file is checked against its hash; what speaks for the model comes with it, its stages do not. It counts where the record of
runs here holds the same runs and figures, or where a key of QUORUM_TRUSTED_KEYS (files with public keys, commas between them;
trusted-keys.pem beside the models when it is not set) signed it; else the model is stamped "evidence not ours", and cannot be
promoted. A model that XGBoost saved is stamped "training not on record", and cannot be promoted either. Both can be named by a desk.

Examples:
  $ quorum models import btc-15m.model.json
  $ quorum models import booster.json --name MY_MODEL --features rsi,atr,trend --classes up`,
    )
    .action(runImport);
}

async function runImport(file: string, options: ImportOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { ModelRegistry, requireModel } = await import('#adapters');
  const { stampsOf, withTrust } = await import('../../../models/held-evidence.ts');
  const { importModel } = await import('../../../models/import-model.ts');
  const { modelsFolder } = await import('../../../models/models-folder.ts');
  const registry = ModelRegistry.open(modelsFolder(options));
  try {
    const { id, isNew, artefact, evidence } = importModel(registry, file, {
      name: options.name ?? null,
      features: options.features ?? null,
      classes: options.classes ?? null,
      instrument: options.instrument ?? null,
      interval: options.interval ?? null,
      trainedFrom: options.trainedFrom ?? null,
      trainedTo: options.trainedTo ?? null,
      probabilityMin: options.probabilityMin ?? null,
      leadMin: options.leadMin ?? null,
      parent: options.parent === undefined ? null : requireModel(registry, options.parent).id,
    });
    const { name } = artefact;
    const entry = registry.entry(id)!;
    const stamps = withTrust(registry.folder, options, (trust) => stampsOf(registry, entry, trust));
    terminal.result({ id, name, isNew, evidence, stamps, folder: registry.folder });
    terminal.say(`${name} ${id}${isNew ? '' : ' was here already'}`);
    terminal.say(`  candidate in ${registry.folder}, ${evidence} records of evidence`);
    for (const stamp of stamps) terminal.say(`  STAMP: ${stamp}`);
  } finally {
    registry.close();
  }
}

interface SignOptions extends RegistryOptions {
  sign: boolean;
  signEnv: string;
}

/** Options of a command that lets a model travel. */
const withSignOptions = (command: Command): Command =>
  withRegistryOption(command)
    .option('--sign', 'sign its evidence, so that whoever trusts the key may promote it', false)
    .option('--sign-env <name>', 'environment variable with the private Ed25519 key', 'QUORUM_SIGNING_KEY');

/** A model of the registry as it shall travel. */
async function travellingModel(
  registry: ModelRegistry,
  id: string,
  options: SignOptions,
): Promise<TravellingModel> {
  const { travelling } = await import('#adapters');
  if (!options.sign) return travelling(registry, id);
  const { withTrust } = await import('../../../models/held-evidence.ts');
  const { signedModel } = await import('../../../models/sign-model.ts');
  return withTrust(registry.folder, options, (trust) => signedModel(registry, id, options.signEnv, trust));
}

interface ExportOptions extends ModelsOptions, SignOptions {
  out: string;
  format: 'quorum' | 'xgboost';
  force: boolean;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description('Write a model and what speaks for it as one file, or its trees as XGBoost loads them.')
    .argument('<model>', 'an id or the beginning of one, NAME, or NAME@paper')
    .requiredOption('--out <file.json>', 'where it goes')
    .addOption(
      new Option('--format <format>', 'all of it, or only the trees for XGBoost')
        .choices(['quorum', 'xgboost'])
        .default('quorum'),
    )
    .option('--force', 'replace the file when it exists', false);
  return withSignOptions(withModelsOptions(command))
    .addHelpText(
      'after',
      '\nThe same model gives the same bytes. --sign vouches for the evidence that counts here, and for no other.\n\nExamples:\n  $ quorum models export S1_RX68_BTC_15M@paper --out btc-15m.model.json\n  $ quorum models export S1_RX68_BTC_15M@paper --out btc-15m.model.json --sign',
    )
    .action(runExport);
}

async function runExport(reference: string, options: ExportOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { out, format, force } = options;
  if (existsSync(out) && !force)
    throw new InputError(
      `${out} exists already`,
      'choose another name with --out, or replace it with --force',
    );
  if (options.sign && format === 'xgboost')
    throw new InputError('the trees alone have no evidence to sign', 'leave --sign out, or --format xgboost');
  const { modelFileText, requireModel } = await import('#adapters');
  const { sha256 } = await import('#base');
  const { parseBoostedModel, writeBoostedModel } = await import('#signals');
  const { existingModels } = await import('../../../models/models-folder.ts');
  const { writeWholeFile } = await import('../../../whole-file.ts');
  const registry = existingModels(options);
  try {
    const { id, name } = requireModel(registry, reference);
    const model = await travellingModel(registry, id, options);
    const text =
      format === 'quorum' ? modelFileText(model) : writeBoostedModel(parseBoostedModel(model.artefact.model));
    writeWholeFile(out, [text]);
    const hash = sha256(text);
    terminal.result({ id, name, out, format, bytes: Buffer.byteLength(text), sha256: hash });
    terminal.say(`${name} ${shortId(id)} written to ${out}, sha256 ${shortId(hash)}`);
    if (format === 'xgboost' && (model.artefact.scaler !== null || model.artefact.calibration !== null))
      terminal.warn('the trees alone have no scaler and no calibration: give them scaled rows');
  } finally {
    registry.close();
  }
}

interface PublishOptions extends ModelsOptions, SignOptions {
  to: string;
  endpoint?: string;
  region: string;
  keyEnv: string;
  secretEnv: string;
  sessionEnv: string;
  tokenEnv: string;
  experiment: string;
  tries: number;
}

export function publishCommand(): Command {
  const command = new Command('publish')
    .description('Send a model to an S3-compatible store or to an MLflow tracking server.')
    .argument('<model>', 'an id or the beginning of one, NAME, or NAME@paper')
    .requiredOption(
      '--to <address>',
      's3://bucket/prefix, mlflow+https://host or mlflow+http://localhost:5000',
    )
    .option('--endpoint <url>', 'S3: address of the store; that of Amazon for the region when left out')
    .option('--region <name>', 'S3: region of the bucket', 'us-east-1')
    .option('--key-env <name>', 'S3: environment variable with the key id', 'AWS_ACCESS_KEY_ID')
    .option('--secret-env <name>', 'S3: environment variable with the secret key', 'AWS_SECRET_ACCESS_KEY')
    .option(
      '--session-env <name>',
      'S3: environment variable with a session token, if any',
      'AWS_SESSION_TOKEN',
    )
    .option(
      '--token-env <name>',
      'MLflow: environment variable with a token, if any',
      'MLFLOW_TRACKING_TOKEN',
    )
    .option('--experiment <name>', 'MLflow: experiment that the run goes to', 'quorum')
    .option('--tries <n>', 'how often a call is made before it is given up', wholeArgument(1, 20), 5);
  return withSignOptions(withModelsOptions(command))
    .addHelpText(
      'after',
      `
A store gets PREFIX/NAME/ID/model.json (quorum models import takes it), xgboost.json (XGBoost loads it) and manifest.json, which
comes last. A tracking server gets a run with parameters, metrics and these files, and a version of the registered model NAME.
What is there whole is not sent again. MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD are used when there is no token.

Examples:
  $ quorum models publish S1_RX68_BTC_15M@paper --to s3://models/quorum --endpoint https://minio.example.com
  $ quorum models publish S1_RX68_BTC_15M@paper --to mlflow+https://mlflow.example.com`,
    )
    .action(runPublish);
}

async function runPublish(reference: string, options: PublishOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { requireModel } = await import('#adapters');
  const { existingModels } = await import('../../../models/models-folder.ts');
  const { publishModel } = await import('../../../models/publish-model.ts');
  const registry = existingModels(options);
  const bar = terminal.progress('publish');
  try {
    const { id, name } = requireModel(registry, reference);
    const {
      to,
      endpoint = null,
      region,
      keyEnv,
      secretEnv,
      sessionEnv,
      tokenEnv,
      experiment,
      tries,
    } = options;
    const publication = await publishModel(registry, {
      model: await travellingModel(registry, id, options),
      to,
      endpoint,
      region,
      keyEnv,
      secretEnv,
      sessionEnv,
      tokenEnv,
      experiment,
      patience: { tries },
      onProgress: bar.update,
    }).finally(bar.stop);
    terminal.result({ id, name, to, ...publication });
    if (publication.kind === 's3')
      for (const { key, bytes, was } of publication.files) terminal.say(`${was}  ${key} (${bytes} bytes)`);
    else
      terminal.say(
        `run ${publication.run} of experiment ${publication.experiment}, version ${publication.version} of ${name}${publication.was === 'present' ? '; all of it was there already' : ''}`,
      );
  } finally {
    registry.close();
  }
}
