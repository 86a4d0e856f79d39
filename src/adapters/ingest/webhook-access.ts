import type { IncomingHttpHeaders } from 'node:http';
import { InputError, type Instant } from '#base';
import { Secrets } from './secrets.ts';
import { AddressList } from './sender-address.ts';
import { SigningKey, signatureFault } from './signature.ts';
import { REFUSALS, type Refusal, timestampRefusal } from './webhook-answers.ts';

/** Who may send. */
export interface AccessOptions {
  /** What stands in the address; a second one while senders are moved to the first. */
  readonly secrets: readonly string[];
  /** Keys of the signatures, again at most two. */
  readonly signingKeys?: readonly string[];
  /**
   * Default true. False lets `allowedAddresses` send without a signature, as TradingView has to; a request that is signed
   * with one of the keys may then still come from anywhere.
   */
  readonly requireHmac?: boolean;
  /** Addresses and networks that may send unsigned. */
  readonly allowedAddresses?: readonly string[];
  /** Where there are any, an unsigned body must name one as `token`. At most two. */
  readonly bodyTokens?: readonly string[];
  /** How far `X-Timestamp` may be from now, either way. Default 300. */
  readonly windowS?: number;
}

const WINDOW_S = 300;
const KEYS_MOST = 2;

/** Decides who may send, in constant time wherever something secret is compared. */
export class WebhookAccess {
  private readonly secrets: Secrets;
  private readonly tokens: Secrets;
  private readonly keys: readonly SigningKey[];
  private readonly requireHmac: boolean;
  private readonly allowed: AddressList;
  private readonly windowS: number;
  private readonly late: Refusal;

  /** Throws InputError for settings that would let anybody in, or nobody. */
  constructor(options: AccessOptions, bodyBytesMost: number) {
    const { signingKeys = [], requireHmac = true, allowedAddresses = [], bodyTokens = [] } = options;
    this.secrets = new Secrets(options.secrets, 'the secrets of the address');
    this.tokens = new Secrets(bodyTokens, 'the body tokens');
    this.keys = signingKeys.map((key) => new SigningKey(key, bodyBytesMost));
    this.requireHmac = requireHmac;
    this.allowed = new AddressList(allowedAddresses);
    this.windowS = options.windowS ?? WINDOW_S;
    this.late = timestampRefusal(this.windowS);
    if (this.secrets.isEmpty)
      throw new InputError('the webhook has no secret', 'name one, 32 characters by chance');
    if (signingKeys.length > KEYS_MOST) {
      throw new InputError(
        'there are more than two signing keys',
        'at most two: the new one and the one before',
      );
    }
    if (requireHmac && signingKeys.length === 0) {
      throw new InputError('signatures are required and there is no signing key', 'name one');
    }
    if (!requireHmac && this.allowed.isEmpty) {
      throw new InputError(
        'requireHmac is false and no address is allowed',
        'anybody who learns the address could send bars: list the addresses that may send unsigned',
      );
    }
  }

  opens(secret: string): boolean {
    return this.secrets.opens(secret);
  }

  /** Before the body is read: null when the request may go on to {@link bodyFault}. */
  headFault(headers: IncomingHttpHeaders, sender: string): Refusal | null {
    if (this.isSigned(headers)) return null;
    if (this.requireHmac) return REFUSALS.unsigned;
    return this.allowed.has(sender) ? null : REFUSALS.address;
  }

  /** Whether the signature, where there is one to count, is right. */
  bodyFault(headers: IncomingHttpHeaders, body: Buffer, now: Instant): Refusal | null {
    if (!this.isSigned(headers)) return null;
    const given = {
      signature: headers['x-signature'] as string | undefined,
      timestamp: headers['x-timestamp'] as string | undefined,
    };
    switch (signatureFault(this.keys, given, body, now, this.windowS)) {
      case null:
        return null;
      case 'missing':
        return REFUSALS.unsigned;
      case 'form':
        return REFUSALS.form;
      case 'timestamp':
        return this.late;
      case 'mismatch':
        return REFUSALS.signature;
    }
  }

  /** Whether an unsigned body names a token, where one is asked for. */
  tokenFault(headers: IncomingHttpHeaders, token: string | null): Refusal | null {
    if (this.tokens.isEmpty || this.isSigned(headers)) return null;
    return token !== null && this.tokens.opens(token) ? null : REFUSALS.token;
  }

  /** Without keys a signature says nothing, and the sender counts as one that cannot sign. */
  private isSigned(headers: IncomingHttpHeaders): boolean {
    return headers['x-signature'] !== undefined && this.keys.length > 0;
  }
}
