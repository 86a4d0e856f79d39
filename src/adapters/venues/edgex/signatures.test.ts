import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nonceOf, OrderSigner, type OrderToSign } from './order-signature.ts';
import { flatten, requestSignature, signedText } from './request-signature.ts';
import { bytesOfHex, hexOf } from './typed-data.ts';

const SECRET = 'edgexTestSecret';
const KEY = '0123456789abcdef'.repeat(4);
const DOMAIN = {
  name: 'EdgeX',
  version: '1',
  chainId: 3343n,
  verifyingContract: '0x1111111111111111111111111111111111111111',
};
const ORDER: OrderToSign = {
  nonce: 3904653308n,
  accountId: 123456n,
  expirationTimestamp: 1701900800n,
  amountSynthetic: 1000000n,
  amountCollateral: 60000000n,
  amountFee: 1000000n,
  assetIdSynthetic: 30000001n,
  assetIdCollateral: 1000n,
  isBuyingSynthetic: true,
};

describe('the signature of a request', () => {
  it('is the one of the two known vectors', () => {
    const get = {
      timestamp: 1700000000000,
      method: 'GET',
      path: '/api/v2/private/account/getAccountAsset',
      fields: { accountId: '123456' },
    } as const;
    expect(signedText(get)).toBe('1700000000000GET/api/v2/private/account/getAccountAssetaccountId=123456');
    expect(requestSignature(get, SECRET)).toBe(
      '33c480943aae6a25f19f0cc02368db251cd5b95d0b0eb1237fb42d5f2178288e',
    );
    const post = {
      timestamp: 1700000000000,
      method: 'POST',
      path: '/api/v2/private/order/cancelOrderById',
      fields: { orderIdList: ['564827797948727434'], accountId: '123456' },
    } as const;
    expect(requestSignature(post, SECRET)).toBe(
      '4c11b564e729329997ccd2259cac3d28bcd25561c885d8e1aa1ff2220b4809ec',
    );
  });

  it('flattens nested bodies with sorted keys', () => {
    expect(flatten({ b: [true, null, { z: 1, a: 'x' }], a: { d: '', c: false } })).toBe(
      'a=c=false&d=&b=true&&a=x&z=1',
    );
  });
});

describe('the signature of an order', () => {
  it('takes the nonce from the client id', () => {
    expect(nonceOf('t-0001')).toBe(3904653308n);
  });

  it('is the one of the known vector', () => {
    const signer = new OrderSigner(`0x${KEY}`);
    expect(signer.address).toBe('0xFCAd0B19bB29D4674531d6f115237E16AfCE377c');
    expect(hexOf(signer.digest(ORDER, DOMAIN))).toBe(
      '0xcbea3da131c09a370bbf6dba4c5912f2e8ba1394e834d9b242fb9bd5ca100ab2',
    );
    expect(signer.sign(ORDER, DOMAIN)).toBe(
      '0x4acb5cced254112afcbe14b56aeb3a351fecc1c9e7eb4571481eca1e9cd22d5531469d22a426e3d89f29e7db7c3cf99f9e4b97afe34a46542675e5255e89d3d71c',
    );
  });

  it('can be traced to its signer, whatever is signed', () => {
    const signer = new OrderSigner(KEY);
    const uint = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const orders = fc.record({
      nonce: uint,
      accountId: uint,
      expirationTimestamp: uint,
      amountSynthetic: uint,
      amountCollateral: uint,
      amountFee: uint,
      assetIdSynthetic: uint,
      assetIdCollateral: uint,
      isBuyingSynthetic: fc.boolean(),
    });
    const own = secp256k1.getPublicKey(bytesOfHex(KEY));
    fc.assert(
      fc.property(orders, (order) => {
        const bytes = bytesOfHex(signer.sign(order, DOMAIN));
        expect([27, 28]).toContain(bytes[64]);
        const recovered = secp256k1.recoverPublicKey(
          Uint8Array.of(bytes[64]! - 27, ...bytes.subarray(0, 64)),
          signer.digest(order, DOMAIN),
          { prehash: false },
        );
        expect(hexOf(recovered)).toBe(hexOf(own));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses what is no key without repeating it', () => {
    for (const key of ['', '0x12', 'z'.repeat(64), '0'.repeat(64)]) {
      expect(() => new OrderSigner(key)).toThrow(/no private key/);
    }
    const wrong = `f${KEY}`;
    expect(() => new OrderSigner(wrong)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(wrong) }),
    );
    expect(JSON.stringify(new OrderSigner(KEY))).not.toContain(KEY);
  });
});
