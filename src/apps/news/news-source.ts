import type { NewsConfiguration } from './news-configuration.ts';

const AT = ' at ';
/** Whose news they are, by the kind of their source. */
const OWN_HOST = { 'alpha-vantage': /(^|\.)alphavantage\.co$/ } as const;

/** What the journal says where news come from: their kind, and the address where it is not the source's own. */
export function newsSource({ kind, baseUrl }: Pick<NewsConfiguration, 'kind' | 'baseUrl'>): string {
  if (baseUrl === undefined) return kind;
  const { hostname, host } = new URL(baseUrl);
  return OWN_HOST[kind].test(hostname) ? kind : `${kind}${AT}${host}`;
}

/** The address in a source of news; null for the source's own. */
export function strangeAddress(source: string): string | null {
  const at = source.indexOf(AT);
  return at < 0 ? null : source.slice(at + AT.length);
}
