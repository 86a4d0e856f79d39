import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { InputError, sha256 } from '#base';

/** A signature under a record of evidence: whoever holds the key vouches for it. */
export interface EvidenceSignature {
  /** SHA-256 of the record, which names its model and its data. */
  readonly evidence: string;
  /** Fingerprint of the public key: SHA-256 of its DER form (SPKI). */
  readonly key: string;
  /** Ed25519, base64. */
  readonly value: string;
}

/** A public key that is trusted here. */
export interface TrustedKey {
  readonly fingerprint: string;
  readonly key: KeyObject;
}

const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g;
const MAKE =
  'make one with: openssl genpkey -algorithm ed25519 -out house.key; openssl pkey -in house.key -pubout -out house.pub';

/** What is signed. It says what it is, so that no signature made for something else passes for one. */
const statementOf = (evidence: string): Buffer => Buffer.from(`quorum model evidence 1\n${evidence}\n`);

const fingerprintOf = (key: KeyObject): string => sha256(key.export({ type: 'spki', format: 'der' }));

/** A private Ed25519 key from PEM, or from the base64 of its DER form (PKCS #8). `what` names it. Throws {@link InputError}. */
export function readSigningKey(text: string, what: string): KeyObject {
  const trimmed = text.trim();
  const key = keyOf(what, 'private', () =>
    trimmed.startsWith('-----')
      ? createPrivateKey(trimmed)
      : createPrivateKey({ key: Buffer.from(trimmed, 'base64'), format: 'der', type: 'pkcs8' }),
  );
  return key;
}

/** The public Ed25519 keys of a PEM text, one or more. `what` names it. Throws {@link InputError}. */
export function readTrustedKeys(text: string, what: string): TrustedKey[] {
  const blocks = text.match(PEM) ?? [];
  if (blocks.length === 0) throw new InputError(`${what} holds no public key in PEM`, MAKE);
  // a private key would be read as its public one: whoever put it here gave it away
  if (blocks.some((block) => block.includes('PRIVATE')))
    throw new InputError(`${what} holds a private key`, 'put the public key there, and make a new pair');
  return blocks.map((block) => {
    const key = keyOf(what, 'public', () => createPublicKey(block));
    return { fingerprint: fingerprintOf(key), key };
  });
}

/** Signs records of evidence by their hashes. Ed25519 has no chance in it: the same record gives the same signature. */
export function signEvidence(key: KeyObject, hashes: readonly string[]): EvidenceSignature[] {
  const fingerprint = fingerprintOf(createPublicKey(key));
  return hashes.map((evidence) => ({
    evidence,
    key: fingerprint,
    value: sign(null, statementOf(evidence), key).toString('base64'),
  }));
}

/** Fingerprint of the first trusted key that signed a record; null where none did. */
export function signerOf(
  evidence: string,
  signatures: readonly EvidenceSignature[],
  trusted: readonly TrustedKey[],
): string | null {
  for (const { fingerprint, key } of trusted)
    for (const one of signatures)
      if (
        one.evidence === evidence &&
        one.key === fingerprint &&
        verify(null, statementOf(evidence), key, Buffer.from(one.value, 'base64'))
      )
        return fingerprint;
  return null;
}

function keyOf(what: string, kind: 'private' | 'public', read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // what the reader says may quote the key
    throw new InputError(`${what} is no ${kind} key`, MAKE);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new InputError(`${what} is a key of ${key.asymmetricKeyType ?? 'another kind'}, not Ed25519`, MAKE);
}
