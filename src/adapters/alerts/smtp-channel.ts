import { readFileSync } from 'node:fs';
import { formatInstant, InputError, sha256 } from '#base';
import {
  type AlertChannel,
  type AlertMessage,
  type AlertVerb,
  cutText,
  type SendOutcome,
  safeReason,
} from './channel.ts';
import { loopbackHost, networkReason } from './http-post.ts';

export interface SmtpOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `starttls` asks for TLS after the greeting and goes no further without it; `none` is for this machine only. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** Certificates to trust besides the usual ones, as a PEM file. */
  readonly caFile?: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly timeoutMs?: number;
}

/** What of nodemailer is used. */
interface Transport {
  sendMail(
    mail: Record<string, unknown>,
  ): Promise<{ accepted: unknown[]; rejected: unknown[]; response?: string }>;
  close(): void;
}

const SUBJECT_MOST = 200;
/** nodemailer's own limits are per step; a server that drips bytes is cut off here. */
const WHOLE_FACTOR = 2;

/** Mail by SMTP (RFC 5321). Answers 4xx and a dead line come again, 5xx are refusals. */
export class SmtpChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'smtp';
  readonly verbs: readonly AlertVerb[] = ['trigger', 'resolve'];
  private readonly options: SmtpOptions;
  private readonly ca: string | null;

  constructor(options: SmtpOptions) {
    const { name, host, tls, caFile } = options;
    if (tls === 'none' && !loopbackHost(host)) {
      throw new InputError(
        `channel ${name}: mail to ${host} without TLS`,
        'set "tls" to "starttls" or "implicit"',
      );
    }
    this.name = name;
    this.options = options;
    this.ca = caFile === undefined ? null : readFileSync(caFile, 'utf8');
  }

  async send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome> {
    const { from, to, password, timeoutMs = 10_000 } = this.options;
    const transport = await this.transport(timeoutMs);
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<never>((_, reject) => {
      const stop = (reason: string) => reject(Object.assign(new Error(reason), { code: 'ETIMEDOUT' }));
      timer = setTimeout(() => stop('no end of the conversation'), timeoutMs * WHOLE_FACTOR);
      signal?.addEventListener('abort', () => stop('stopped'), { once: true });
    });
    try {
      const sent = await Promise.race([transport.sendMail(mailOf(message, from, to)), given]);
      const { rejected, accepted } = sent;
      if (accepted.length === 0) return { is: 'refused', reason: 'the server took no recipient' };
      const some = rejected.length === 0 ? '' : `, ${rejected.length} recipients refused`;
      return { is: 'delivered', reference: safeReason(`${sent.response ?? 'taken'}${some}`) };
    } catch (error) {
      return mailOutcome(error, password === null ? [] : [password]);
    } finally {
      clearTimeout(timer);
      transport.close();
    }
  }

  private async transport(timeoutMs: number): Promise<Transport> {
    const { createTransport } = await import('nodemailer');
    const { host, port, tls, user, password } = this.options;
    return createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
      tls: { minVersion: 'TLSv1.2', ...(this.ca === null ? {} : { ca: this.ca }) },
    }) as unknown as Transport;
  }
}

/** A message as mail: text only. The id is fixed, so that a mail that comes twice is known as one. */
export function mailOf(message: AlertMessage, from: string, to: readonly string[]): Record<string, unknown> {
  const { id, verb, at, severity, kind, portfolio, desk, instrument, title, body, details } = message;
  const mark = verb === 'trigger' ? severity.toUpperCase() : verb === 'resolve' ? 'RESOLVED' : 'ACKNOWLEDGED';
  const where = [portfolio, desk, instrument].filter((one) => one !== null).join(' / ');
  const lines = [
    title,
    ...(body === '' ? [] : ['', body]),
    '',
    `severity   ${severity}`,
    `kind       ${kind}`,
    ...(where === '' ? [] : [`where      ${where}`]),
    `when       ${formatInstant(at)}`,
    ...Object.entries(details).map(([name, value]) => `${name.padEnd(10)} ${value}`),
    `id         ${id}`,
  ];
  return {
    from,
    to: [...to],
    subject: cutText(
      `[${mark}] ${portfolio === null ? '' : `${portfolio}: `}${title}`.replace(/\s+/g, ' '),
      SUBJECT_MOST,
    ),
    text: lines.join('\n'),
    messageId: `<${sha256(`${id}.${verb}`).slice(0, 32)}@quorum.invalid>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Quorum-Id': id.replace(/[^\x21-\x7e]/g, '_'),
      ...(severity === 'critical' ? { Importance: 'high' } : {}),
    },
  };
}

function mailOutcome(error: unknown, secrets: readonly string[]): SendOutcome {
  const { responseCode, code, message } = error as { responseCode?: number; code?: string; message?: string };
  const reason = safeReason(message ?? networkReason(error), secrets);
  if (responseCode !== undefined && responseCode >= 400 && responseCode < 500)
    return { is: 'retry', reason, afterMs: null };
  const final = responseCode !== undefined || code === 'EAUTH' || code === 'ETLS' || code === 'EENVELOPE';
  return final ? { is: 'refused', reason } : { is: 'retry', reason, afterMs: null };
}
