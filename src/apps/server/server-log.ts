import { TextLog } from '../runner/text-log.ts';

export type LogLevel = 'info' | 'warning' | 'error';

const HIDDEN = '[hidden]';
const SECRET_KEY =
  /authorization|cookie|password|passwd|secret|token|csrf|otp|api[-_]?key|confirm|^code$|^(current|next)$/i;
/** Secrets as they look inside text: bearer tokens, ours and others' keys, cookies, passwords in addresses. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\bqrm_[\w-]{8,}/g, HIDDEN],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?/g, HIDDEN],
  [/\b(sk-|gsk_|gh[pousr]_|xox[abeprs]-|AIza|AKIA)[\w-]{8,}/g, HIDDEN],
  // of Telegram's bots, whose address holds it
  [/(\b|bot)\d{6,12}:[\w-]{30,}/g, HIDDEN],
  [/(\/\/[^\s/:@]+:)[^\s/@]+@/g, `$1${HIDDEN}@`],
  [
    /((?:password|passwd|secret|token|csrf|otp|api[-_]?key|cookie)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+/gi,
    `$1${HIDDEN}`,
  ],
];

const TEXT_MOST = 2_000;
const DEPTH_MOST = 6;

/** A value without secrets, fit for a log: by the names of its keys and by how texts look. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (value instanceof Error) return redactedText(value.stack ?? value.message);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth >= DEPTH_MOST) return '…';
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => redacted(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET_KEY.test(key) ? HIDDEN : redacted(item, depth + 1),
    ]),
  );
}

export function redactedText(text: string): string {
  const short = text.length > TEXT_MOST ? `${text.slice(0, TEXT_MOST)}…` : text;
  return SECRET_TEXT.reduce((whole, [pattern, instead]) => whole.replace(pattern, instead), short);
}

/** The server's log: one JSON object a line in files of bounded size, secrets taken out. A full disk stops no request. */
export class ServerLog {
  private readonly log: TextLog;
  private readonly now: () => number;

  constructor(path: string, now: () => number) {
    this.log = new TextLog(path);
    this.now = now;
  }

  write(level: LogLevel, what: string, more: Readonly<Record<string, unknown>> = {}): void {
    const line = { time: new Date(this.now()).toISOString(), level, what, ...(redacted(more) as object) };
    try {
      this.log.line(JSON.stringify(line));
    } catch (error) {
      process.stderr.write(`server.log cannot be written: ${(error as Error).message}\n`);
    }
  }
}
