import type { Command } from 'commander';

/** Options of a command that puts runs on record. */
export interface RegistryOptions {
  readonly registry?: string | boolean;
}

const WHERE = 'registry of runs; $QUORUM_REGISTRY or .quorum/runs.sqlite when left out';

/** Adds the options of {@link RegistryOptions}. */
export function withRegistryOptions(command: Command): Command {
  return command
    .option('--registry <file>', WHERE)
    .option('--no-registry', 'put nothing on record: the run is stamped and cannot be promoted');
}

/** Of a command that only reads the record. */
export function withRegistryOption(command: Command): Command {
  return command.option('--registry <file>', WHERE);
}
