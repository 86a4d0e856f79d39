import { type Command, Option } from 'commander';

/** Options of every command about models. */
export interface ModelsOptions {
  readonly models?: string;
  readonly json: boolean;
}

const WHERE =
  'folder of the models; $QUORUM_MODELS, or beside the registry of runs (.quorum/models) when left out';

/** Adds the options of {@link ModelsOptions}. */
export function withModelsOptions(command: Command): Command {
  return command.option('--models <dir>', WHERE).option('--json', 'one JSON object on stdout', false);
}

/** The stage that one model of a name holds at a time. */
export const stageOption = (flags: string, summary: string): Option =>
  new Option(flags, summary).choices(['paper', 'live']).makeOptionMandatory();

/** Names in a list: `a,b,c`. */
export function listArgument(text: string): readonly string[] {
  return text.split(',').map((one) => one.trim());
}

export const shortId = (id: string): string => id.slice(0, 12);
