import { keccak_256 } from '@noble/hashes/sha3.js';

/** Keccak-256, as Ethereum hashes. */
export const keccak = (data: Uint8Array): Uint8Array => keccak_256(data);

const WORD = 32;
const TWO_256 = 1n << 256n;

/** A whole number as one 32-byte word, big-endian; negative ones in two's complement. */
export function wordOf(value: bigint): Uint8Array {
  let rest = value < 0n ? TWO_256 + value : value;
  const word = new Uint8Array(WORD);
  for (let i = WORD - 1; i >= 0; i--) {
    word[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return word;
}

export const textHash = (text: string): Uint8Array => keccak(new TextEncoder().encode(text));

/** An address, `0x` and 40 hex digits, as a word. */
export function addressWord(address: string): Uint8Array {
  const word = new Uint8Array(WORD);
  word.set(bytesOfHex(address), WORD - 20);
  return word;
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Bytes of hex with or without `0x`. */
export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/^0x/, ''), 'hex'));
}

export const hexOf = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

/** EIP-712: the hash that is signed for a struct in a domain. */
export function typedDataDigest(domainSeparator: Uint8Array, structHash: Uint8Array): Uint8Array {
  return keccak(joined(Uint8Array.of(0x19, 0x01), domainSeparator, structHash));
}

export interface Domain {
  readonly name: string;
  readonly version: string;
  readonly chainId: bigint;
  readonly verifyingContract: string;
}

const DOMAIN_TYPE = textHash(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
);

export function domainSeparator({ name, version, chainId, verifyingContract }: Domain): Uint8Array {
  return keccak(
    joined(DOMAIN_TYPE, textHash(name), textHash(version), wordOf(chainId), addressWord(verifyingContract)),
  );
}
