import { InputError } from '#base';

/** Hosts and paths that only show public market data. Everything else of a venue can trade. */
const PUBLIC_DATA: readonly { host: RegExp; path: RegExp }[] = [
  {
    host: /^fapi\.binance\.com$/,
    path: /^\/(fapi\/v1\/(ping|time|exchangeInfo|klines|markPriceKlines|indexPriceKlines|fundingRate|fundingInfo|premiumIndex|depth|aggTrades|openInterest|ticker\/[a-zA-Z0-9]+)|futures\/data\/[A-Za-z]+)?\/?$/,
  },
  { host: /^fstream\.binance\.com$/, path: /^\/((public|market)(\/(ws|stream).*)?|ws.*|stream.*)?$/ },
  { host: /^data\.binance\.vision$/, path: /^\// },
  { host: /^api\.twelvedata\.com$/, path: /^\/(time_series)?\/?$/ },
  { host: /^edgex-prod-v2\.edgex\.exchange$/, path: /^\/api\/v2\/public\// },
  { host: /^edgex-quote-prod-v2\.edgex\.exchange$/, path: /^\/api\/v1\/public\/ws$/ },
];

/** Whether a host is this machine: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return (
    bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
  );
}

/** Whether a URL shows public market data only. Its query may not carry a signature or a key. */
export function isPublicData(url: URL): boolean {
  const query = url.searchParams;
  if (query.has('signature') || query.has('listenKey') || url.username !== '') return false;
  return PUBLIC_DATA.some(({ host, path }) => host.test(url.hostname) && path.test(url.pathname));
}

/**
 * The one guard before every venue connection of the process: a URL that is neither loopback nor known public market data
 * may trade, and is refused unless live trading is armed. Throws InputError.
 */
export function assertVenueUrlAllowed(url: string | URL, { armed }: { armed: boolean }): void {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new InputError(`"${url}" is not a URL`, 'write for example https://fapi.binance.com');
  }
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(parsed.protocol)) {
    throw new InputError(`${parsed.protocol} is not a venue protocol`, 'use http, https, ws or wss');
  }
  if (isLoopback(parsed.hostname)) return;
  if (parsed.protocol === 'http:' || parsed.protocol === 'ws:') {
    throw new InputError(`${parsed.origin} is not encrypted`, 'use https or wss');
  }
  if (armed || isPublicData(parsed)) return;
  throw new InputError(
    `${parsed.origin}${parsed.pathname} can trade, and live trading is not armed`,
    'arm live trading first, or use paper trading',
  );
}
