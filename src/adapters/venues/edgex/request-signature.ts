import { createHmac } from 'node:crypto';

/** What a signed request carries; numbers must already be the decimal strings that the venue takes. */
export type RequestValue =
  | string
  | number
  | boolean
  | null
  | readonly RequestValue[]
  | { readonly [key: string]: RequestValue };

/**
 * A JSON body as edgeX signs it: keys sorted, `k=value` joined by `&`, lists joined by `&`, null as nothing. Fields that
 * are undefined are in neither the body nor the text.
 */
export function flatten(value: RequestValue): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(flatten).join('&');
  if (typeof value !== 'object') return String(value);
  const fields = value as { readonly [key: string]: RequestValue };
  return Object.keys(fields)
    .sort()
    .filter((key) => fields[key] !== undefined)
    .map((key) => `${key}=${flatten(fields[key]!)}`)
    .join('&');
}

export interface RequestToSign {
  /** Epoch ms, as in the header. */
  readonly timestamp: number;
  readonly method: 'GET' | 'POST';
  /** Without the query: `/api/v2/private/order/createOrder`. */
  readonly path: string;
  /** Query of a GET, body of a POST. */
  readonly fields: { readonly [key: string]: RequestValue };
}

/** The text that is signed. */
export function signedText({ timestamp, method, path, fields }: RequestToSign): string {
  return `${timestamp}${method}${path}${flatten(fields)}`;
}

/**
 * Lower-case hex HMAC-SHA256 of {@link signedText}. The key is the text of the secret's base64, not the secret: so the
 * venue's own client does it.
 */
export function requestSignature(request: RequestToSign, secret: string): string {
  const key = Buffer.from(secret, 'utf8').toString('base64');
  return createHmac('sha256', key).update(signedText(request)).digest('hex');
}
