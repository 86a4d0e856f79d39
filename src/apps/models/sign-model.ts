import {
  type ModelRegistry,
  readSigningKey,
  signEvidence,
  type TravellingModel,
  travelling,
} from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { isOurs } from '#research';
import { heldEvidence, type Trust } from './held-evidence.ts';

/** Environment variable with the key that signs, unless another is named. */
export const SIGNING_KEY_ENV = 'QUORUM_SIGNING_KEY';

/**
 * A model ready to travel, its evidence signed with the key of an environment variable. Only what counts here is signed: a machine
 * vouches for what it made or could check, and hands on what others signed as it is. Throws {@link InputError}.
 */
export function signedModel(
  registry: ModelRegistry,
  id: string,
  keyEnv: string,
  trust: Trust,
): TravellingModel {
  const model = travelling(registry, id);
  const ours = heldEvidence(registry, id, trust).filter(isOurs);
  if (ours.length === 0)
    throw new InputError(
      `nothing speaks for ${model.artefact.name} (${id.slice(0, 12)}) that this machine could sign for`,
      model.evidence.length === 0
        ? 'leave --sign out: a model without evidence has nothing that is signed'
        : 'sign where it was trained, or train it here from the same data and seed',
    );
  const text = process.env[keyEnv];
  if (!text)
    throw new InputError(
      `the environment variable ${keyEnv} is not set`,
      'put a private Ed25519 key in it (PEM), or name another with --sign-env',
    );
  const key = readSigningKey(text, `the environment variable ${keyEnv}`);
  const added = signEvidence(
    key,
    ours.map(({ evidence }) => sha256(canonicalJson(evidence))),
  );
  const others = (model.signatures ?? []).filter(
    (one) => !added.some(({ key, evidence }) => key === one.key && evidence === one.evidence),
  );
  return { ...model, signatures: [...others, ...added] };
}
