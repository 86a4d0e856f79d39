import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { InputError } from '#base';
import {
  addressWord,
  bytesOfHex,
  type Domain,
  domainSeparator,
  hexOf,
  joined,
  keccak,
  textHash,
  typedDataDigest,
  wordOf,
} from './typed-data.ts';

/** A limit order as the venue's contract reads it: whole numbers in its own resolutions. */
export interface OrderToSign {
  readonly nonce: bigint;
  readonly accountId: bigint;
  /** Epoch seconds. */
  readonly expirationTimestamp: bigint;
  readonly amountSynthetic: bigint;
  readonly amountCollateral: bigint;
  readonly amountFee: bigint;
  readonly assetIdSynthetic: bigint;
  readonly assetIdCollateral: bigint;
  readonly isBuyingSynthetic: boolean;
}

const BASE = 'OrderBase(uint256 nonce,address signer,uint64 accountId,uint256 expirationTimestamp)';
const BASE_TYPE = textHash(BASE);
const ORDER_TYPE = textHash(
  `LimitOrderParams(OrderBase base,int256 amountSynthetic,int256 amountCollateral,uint256 amountFee,uint64 assetIdSynthetic,uint64 assetIdCollateral,bool isBuyingSynthetic,bytes32 parentOrderHash,uint256 subOrderIndex)${BASE}`,
);
/** No parent order, no sub-order. */
const NOTHING = wordOf(0n);

/** A client id's nonce: the first eight hex digits of its SHA-256. */
export function nonceOf(clientOrderId: string): bigint {
  return BigInt(`0x${createHash('sha256').update(clientOrderId).digest('hex').slice(0, 8)}`);
}

/** Signs orders with one trading key (secp256k1, which cannot withdraw). The key leaves this object in no way. */
export class OrderSigner {
  readonly address: string;
  readonly #key: Uint8Array;

  /** `privateKey`: 64 hex digits, with or without `0x`. Throws InputError without repeating it. */
  constructor(privateKey: string) {
    const key = /^(0x)?[0-9a-fA-F]{64}$/.test(privateKey) ? bytesOfHex(privateKey) : null;
    if (key === null || !secp256k1.utils.isValidSecretKey(key)) {
      throw new InputError(
        'the trading key of edgeX is no private key',
        'give 64 hexadecimal digits, as the dialog of the venue shows them',
      );
    }
    this.#key = key;
    const point = secp256k1.getPublicKey(key, false);
    this.address = checksummed(keccak(point.subarray(1)).subarray(12));
  }

  /** The hash that is signed. */
  digest(order: OrderToSign, domain: Domain): Uint8Array {
    const base = keccak(
      joined(
        BASE_TYPE,
        wordOf(order.nonce),
        addressWord(this.address),
        wordOf(order.accountId),
        wordOf(order.expirationTimestamp),
      ),
    );
    const struct = keccak(
      joined(
        ORDER_TYPE,
        base,
        wordOf(order.amountSynthetic),
        wordOf(order.amountCollateral),
        wordOf(order.amountFee),
        wordOf(order.assetIdSynthetic),
        wordOf(order.assetIdCollateral),
        wordOf(order.isBuyingSynthetic ? 1n : 0n),
        NOTHING,
        NOTHING,
      ),
    );
    return typedDataDigest(domainSeparator(domain), struct);
  }

  /** `0x` and 65 bytes: r, s, and 27 or 28. */
  sign(order: OrderToSign, domain: Domain): string {
    const signature = secp256k1.sign(this.digest(order, domain), this.#key, {
      prehash: false,
      format: 'recovered',
    });
    // the library puts the recovery bit first
    return hexOf(joined(signature.subarray(1), Uint8Array.of(27 + signature[0]!)));
  }
}

/** An address with the checksum of EIP-55 in its capitals. */
function checksummed(address: Uint8Array): string {
  const hex = hexOf(address).slice(2);
  const hash = hexOf(textHash(hex)).slice(2);
  return `0x${[...hex].map((digit, i) => (Number.parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`;
}
