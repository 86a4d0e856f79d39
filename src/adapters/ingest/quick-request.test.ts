import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { quickRequest } from './quick-request.ts';

const BODY = '{"a":1}';
/** A request as nginx passes it on, with what its location says of connections. */
const proxied = (version: string, connection: string | null) =>
  Buffer.from(
    `POST /webhook/secretsecret/s1 HTTP/${version}\r\nX-Forwarded-For: 192.0.2.1\r\nHost: bars.example.org\r\n` +
      `${connection === null ? '' : `Connection: ${connection}\r\n`}Content-Length: ${BODY.length}\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n${BODY}`,
  );

describe('the quick reader behind a proxy', () => {
  it('reads what comes over connections that are kept, and nothing else', () => {
    expect(quickRequest(proxied('1.1', null))?.body.toString()).toBe(BODY);
    expect(quickRequest(proxied('1.1', 'close'))).toBeNull();
    expect(quickRequest(proxied('1.0', 'close'))).toBeNull();
  });

  it('gets such connections from the proxy that the documentation shows', () => {
    const text = readFileSync(new URL('../../../docs/tradingview.md', import.meta.url), 'utf8');
    const nginx = /```text\n(upstream [\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(nginx).toMatch(/keepalive \d+;/);
    expect(nginx).toContain('proxy_http_version 1.1;');
    expect(nginx).toContain('proxy_set_header Connection "";');
  });
});
