import { BlockList, isIP } from 'node:net';
import { InputError } from '#base';

/** Where TradingView says its alerts come from. */
export const TRADINGVIEW_ADDRESSES: readonly string[] = [
  '52.89.214.238',
  '34.212.75.30',
  '54.218.53.128',
  '52.32.178.7',
];

/** Addresses remembered with their outcome. */
const KNOWN_MOST = 1_000;

/** A list of addresses and networks (`10.0.0.0/8`). An IPv4 address written as IPv6 is the same address. */
export class AddressList {
  readonly isEmpty: boolean;
  private readonly list = new BlockList();
  private readonly known = new Map<string, boolean>();

  /** Throws InputError for what is no address. */
  constructor(addresses: readonly string[]) {
    this.isEmpty = addresses.length === 0;
    for (const text of addresses) this.add(text);
  }

  private add(text: string): void {
    const [address = '', bits, ...more] = text.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const isBitsRight = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (family === 0 || !isBitsRight || more.length > 0) {
      throw new InputError(`${text} is no address`, 'write 192.0.2.1, 192.0.2.0/24 or the same in IPv6');
    }
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) this.list.addAddress(address, kind);
    else this.list.addSubnet(address, Number(bits), kind);
  }

  /** `address` must be one, as {@link plainAddress} gives it. */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    const known = this.known.get(address);
    if (known !== undefined) return known;
    const isIn = this.list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    if (this.known.size >= KNOWN_MOST) this.known.clear();
    this.known.set(address, isIn);
    return isIn;
  }
}

/** The address without the prefix of a mapped IPv4 one or a zone; null when it is none. */
export function plainAddress(text: string | undefined): string | null {
  if (text === undefined) return null;
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
  if (isIP(address) !== 0) return address.includes('%') ? address.slice(0, address.indexOf('%')) : address;
  return null;
}

/**
 * Who sent a request. `X-Forwarded-For` counts only when the connection comes from a proxy of ours: then the right-most
 * address that is no proxy of ours is the sender; what stands left of it is the sender's own word. Null when that is no address.
 */
export function senderOf(
  remote: string | undefined,
  forwarded: string | undefined,
  proxies: AddressList,
): string | null {
  const direct = plainAddress(remote);
  if (direct === null || forwarded === undefined || !proxies.has(direct)) return direct;
  const hops = forwarded.split(',');
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = plainAddress(hops[i]!.trim());
    if (hop === null || !proxies.has(hop)) return hop;
  }
  return direct;
}
