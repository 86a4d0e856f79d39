import { isIP } from 'node:net';
import { InputError } from '#base';

/** Where the server listens, and what stands before it. */
export interface Listening {
  /** Address or name to listen on. */
  readonly host: string;
  /** Files of the private key and the certificate; null for plain HTTP. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** Addresses or networks (`10.0.0.0/8`) of proxies whose word about the client is taken; empty for none. */
  readonly trustedProxy: readonly string[];
  /** Origins of other sites whose pages may call (`https://desk.example`); empty for none. */
  readonly origins?: readonly string[];
}

/** Whether only this machine can connect. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost') return true;
  if (isIP(bare) === 4) return bare.startsWith('127.');
  return isIP(bare) === 6 && (bare === '::1' || /^::ffff:127\./.test(bare));
}

/**
 * Refuses to be public without protection. Throws {@link InputError} for an address that others can reach without TLS or a
 * trusted proxy, for half a TLS pair, and for proxies and origins that are none.
 */
export function checkListening(listening: Listening): void {
  const { host, tls, trustedProxy, origins = [] } = listening;
  if (tls !== null && (tls.key === '' || tls.cert === ''))
    throw new InputError(
      'TLS needs a key and a certificate',
      'give both files: --tls-key FILE --tls-cert FILE',
    );
  for (const proxy of trustedProxy) checkProxy(proxy);
  for (const origin of origins) checkOrigin(origin);
  if (isLoopback(host) || tls !== null || trustedProxy.length > 0) return;
  throw new InputError(
    `${host} can be reached from other machines, and passwords would pass in the clear`,
    'listen on 127.0.0.1, or give --tls-key and --tls-cert, or name the proxy that adds TLS with --trusted-proxy',
  );
}

function checkProxy(proxy: string): void {
  const [address = '', bits, ...more] = proxy.split('/');
  const family = isIP(address);
  const most = family === 6 ? 128 : 32;
  const isWhole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most);
  if (family === 0 || !isWhole || more.length > 0)
    throw new InputError(
      `${proxy} is neither an address nor a network`,
      'name proxies as 10.0.0.1 or 10.0.0.0/8; a network of everybody (/0) would let anyone say who they are',
    );
}

function checkOrigin(origin: string): void {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  if (url === null || url.origin !== origin || !/^https?:$/.test(url.protocol))
    throw new InputError(
      `${origin} is no origin of a web page`,
      'write scheme, host and port only, such as https://desk.example',
    );
}
