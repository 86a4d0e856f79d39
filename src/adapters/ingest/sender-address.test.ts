import { describe, expect, it } from 'vitest';
import { AddressList, plainAddress, senderOf, TRADINGVIEW_ADDRESSES } from './sender-address.ts';

describe('a list of addresses', () => {
  const list = new AddressList([...TRADINGVIEW_ADDRESSES, '10.0.0.0/8', '2001:db8::/32']);
  it.each([
    ['52.89.214.238', true],
    ['52.89.214.239', false],
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['2001:db8::1', true],
    ['2001:db9::1', false],
  ])('%s is in it: %s', (address, isIn) => {
    expect(list.has(address)).toBe(isIn);
    expect(list.has(address)).toBe(isIn);
  });

  it('forgets outcomes before they become many', () => {
    for (let n = 0; n < 3_000; n++) expect(list.has(`11.0.${n >> 8}.${n & 255}`)).toBe(false);
    expect(list.has('10.0.0.1')).toBe(true);
  });
});

describe('who sent it', () => {
  const proxies = new AddressList(['127.0.0.1', '10.0.0.0/8']);
  it.each<[string | undefined, string | undefined, string | null]>([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '52.89.214.238', '192.0.2.1'],
    ['127.0.0.1', '52.89.214.238', '52.89.214.238'],
    ['::ffff:127.0.0.1', '::ffff:52.89.214.238', '52.89.214.238'],
    ['127.0.0.1', '52.89.214.238, 192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '52.89.214.238, 10.0.0.1, 10.0.0.2', '52.89.214.238'],
    ['127.0.0.1', '10.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '', null],
    ['127.0.0.1', '52.89.214.238, nobody', null],
    ['127.0.0.1', '52.89.214.238:443', null],
    ['127.0.0.1', '52.89.214.238,', null],
    [undefined, undefined, null],
  ])('%s with %s is %s', (remote, forwarded, sender) => {
    expect(senderOf(remote, forwarded, proxies)).toBe(sender);
  });

  it('has no zone', () => {
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
    expect(plainAddress('example.org')).toBeNull();
  });
});
