import { randomBytes } from 'node:crypto';
import { signatureHeader } from '#adapters';
import { floorTo, InputError } from '#base';
import { type IngestSettings, readAccess } from './ingest-settings.ts';

/** One question that was put to an endpoint, and its answer. */
export interface EndpointCheck {
  readonly what: string;
  readonly isRight: boolean;
  /** HTTP status; null when nothing answered. */
  readonly status: number | null;
  readonly ms: number;
  /** What is to be done where it is not right, or what the answer said. */
  readonly says: string;
}

const PATIENCE_MS = 5_000;
/** TradingView cancels a request that takes longer. */
export const SENDER_PATIENCE_MS = 3_000;

/**
 * Puts questions to a running endpoint that leave nothing behind: a wrong secret, an unsigned request where signatures are
 * asked for, and for each config a request that is right in all but that its bar has not closed yet. `base` is the address in
 * front, such as `https://bars.example.org`. Throws {@link InputError} for a config that the feed does not have.
 */
export async function checkEndpoint(
  settings: IngestSettings,
  base: string,
  wanted: readonly string[],
  now: number,
): Promise<EndpointCheck[]> {
  const { feed, series } = settings;
  const access = readAccess(settings);
  const configs = wanted.length === 0 ? series.slice(0, 1).map(({ id }) => id) : wanted;
  const addressOf = (secret: string) => `${base.replace(/\/+$/, '')}/webhook/${secret}/${feed.desk}`;
  const secret = access.secrets[0]!;
  const key = access.signingKeys?.[0] ?? null;
  const token = access.bodyTokens?.[0] ?? null;
  const bodyOf = (config: string) => {
    const one = series.find(({ id }) => id === config);
    if (one === undefined)
      throw new InputError(
        `the feed has no config ${config}`,
        `it has ${series.map(({ id }) => id).join(', ')}`,
      );
    // the bar after the one that is open now: whatever the clocks, nobody takes it
    const time = floorTo(now, one.intervalMs) + one.intervalMs;
    const bar = { config_id: config, bar_time: time, open: 1, high: 1, low: 1, close: 1, volume: 0 };
    return JSON.stringify(token === null ? bar : { ...bar, token });
  };
  const bodies = configs.map((config) => ({ config, body: bodyOf(config) }));
  const checks: EndpointCheck[] = [];
  const ask = async (what: string, address: string, body: string, signed: boolean, expected: string) => {
    const answer = await post(address, body, signed ? key : null, now);
    const isRight = answer.reason === expected;
    const says = isRight ? answer.says : `${answer.says}${answer.mend === '' ? '' : `: ${answer.mend}`}`;
    checks.push({ what, isRight, status: answer.status, ms: answer.ms, says });
    return isRight || answer.status !== null;
  };
  const wrong = randomBytes(16).toString('hex');
  const isThere = await ask('a wrong secret is refused', addressOf(wrong), bodies[0]!.body, true, 'secret');
  if (!isThere) return checks;
  if (key !== null && feed.requireHmac)
    await ask('an unsigned request is refused', addressOf(secret), bodies[0]!.body, false, 'unsigned');
  const how = key === null ? 'unsigned' : 'signed';
  for (const { config, body } of bodies)
    await ask(`${config}, ${how}, is understood`, addressOf(secret), body, true, 'not-closed');
  return checks;
}

interface Answer {
  readonly status: number | null;
  readonly ms: number;
  readonly reason: string;
  readonly says: string;
  readonly mend: string;
}

async function post(address: string, text: string, key: string | null, now: number): Promise<Answer> {
  const body = Buffer.from(text);
  const timestamp = String(Math.floor(now / 1_000));
  const began = performance.now();
  const took = () => Math.round(performance.now() - began);
  try {
    const response = await fetch(address, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        'content-type': 'application/json',
        ...(key === null
          ? {}
          : { 'x-timestamp': timestamp, 'x-signature': signatureHeader(key, timestamp, body) }),
      },
    });
    const answer = readAnswer(await response.text());
    return { status: response.status, ms: took(), ...answer };
  } catch (cause) {
    const error = cause as Error & { cause?: Error };
    const says = error.name === 'TimeoutError' ? 'no answer' : (error.cause?.message ?? error.message);
    return { status: null, ms: took(), reason: 'unreachable', says, mend: 'is quorum start running?' };
  }
}

function readAnswer(text: string): Pick<Answer, 'reason' | 'says' | 'mend'> {
  try {
    const { error, message, mend } = JSON.parse(text) as Record<string, unknown>;
    if (typeof error === 'string') return { reason: error, says: String(message), mend: String(mend ?? '') };
  } catch {
    // of a proxy, or of something else
  }
  return { reason: 'other', says: 'it is not our endpoint that answered', mend: 'look at the proxy' };
}
