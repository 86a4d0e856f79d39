import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { type Act, ModelRegistry } from '#adapters';
import { InputError } from '#base';
import { registryFile } from '../setup/registry/open-registry.ts';

/** What of a command line says where models are kept. */
export interface ModelsChoice {
  readonly models?: string | undefined;
}

/** The folder of the model registry: as named, else the environment's, else beside the registry of runs. */
export function modelsFolder({ models }: ModelsChoice = {}): string {
  return models ?? (process.env.QUORUM_MODELS || join(dirname(registryFile({})), 'models'));
}

/** The registry that a command reads. Throws {@link InputError} where there is none. */
export function existingModels(choice: ModelsChoice): ModelRegistry {
  const folder = modelsFolder(choice);
  const registry = ModelRegistry.openExisting(folder);
  if (registry !== null) return registry;
  throw new InputError(
    `there is no registry of models at ${folder}`,
    'bring one in with quorum models import, or name the folder with --models',
  );
}

/** Who acts now: user and machine. */
export const actNow = (): Act => ({ at: Date.now(), by: `${userInfo().username}@${hostname()}` });
