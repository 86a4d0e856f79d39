import { join } from 'node:path';
import { RunRegistry } from '#adapters';
import { InputError } from '#base';

/** What of a command line says where runs are put on record. */
export interface RegistryChoice {
  /** A file; false switches registration off; left out means the usual place. */
  readonly registry?: string | boolean;
}

/** The registry's place when none is named: the environment's, else beside what else is kept of this folder. */
export function registryFile({ registry }: RegistryChoice): string {
  if (typeof registry === 'string') return registry;
  return process.env.QUORUM_REGISTRY || join('.quorum', 'runs.sqlite');
}

/** The registry to put runs on record in; null when that is switched off. */
export function openRegistry(choice: RegistryChoice): RunRegistry | null {
  return choice.registry === false ? null : RunRegistry.open(registryFile(choice));
}

/** The registry that a command reads. Throws {@link InputError} where there is none. */
export function existingRegistry(choice: RegistryChoice): RunRegistry {
  const file = registryFile(choice);
  const registry = RunRegistry.openExisting(file);
  if (registry !== null) return registry;
  throw new InputError(
    `there is no registry of runs at ${file}`,
    'run backtests and sweeps in this folder, or name the registry they were put on record in with --registry',
  );
}

/** What a run carries that was made with registration switched off. */
export const UNREGISTERED = 'unregistered';
