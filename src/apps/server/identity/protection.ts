import type { FastifyCorsOptions } from '@fastify/cors';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import { CODE_HEADER, CONFIRM_HEADER, CSRF_HEADER } from '../../contract/index.ts';
import { isLoopback, type Listening } from './listening.ts';

/** Security headers of everything the server sends (OWASP Secure Headers). */
export function helmetOptions({ tls, trustedProxy }: Listening): FastifyHelmetOptions {
  const overTls = tls !== null || trustedProxy.length > 0;
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        // charts and the address of a colour swatch set styles by script
        'style-src': ["'self'", "'unsafe-inline'"],
        'img-src': ["'self'", 'data:', 'blob:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'worker-src': ["'self'", 'blob:'],
        'manifest-src': ["'self'"],
        // reports are shown in a frame, with a policy of their own
        'frame-src': ["'self'"],
        'frame-ancestors': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'object-src': ["'none'"],
      },
    },
    strictTransportSecurity: overTls ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'sameorigin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
  };
}

/**
 * For a stored page that somebody else's data went into, such as a report of a run: it may draw itself and do nothing else. It
 * has no origin, so that it cannot call the server as whoever looks at it.
 */
export const REPORT_CSP =
  "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/** Pages of the origins in the list may call with bearer tokens. The cookie stays at home: credentials are never allowed. */
export function corsOptions({ origins = [] }: Listening): FastifyCorsOptions {
  return {
    origin: origins.length === 0 ? false : [...origins],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'if-none-match',
      CODE_HEADER,
      CONFIRM_HEADER,
      CSRF_HEADER,
    ],
    exposedHeaders: ['etag', 'retry-after'],
    maxAge: 600,
  };
}

/**
 * Whether a request names a host that is ours. A page elsewhere can have its own name point at this machine (DNS rebinding) and
 * would then be of one origin with a server on loopback; TLS and a proxy know their name already.
 */
export function isOwnHost(host: string | undefined, listening: Listening): boolean {
  if (listening.tls !== null || listening.trustedProxy.length > 0) return true;
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '');
  return isLoopback(name) || name.toLowerCase() === listening.host.toLowerCase();
}
