import { Chance, InputError, type Instant, MINUTE, SECOND } from '#base';
import {
  type BarProvider,
  type ProvidedBar,
  type ProviderRequest,
  resampleProvided,
} from './bar-provider.ts';
import { backoffMs, type FeedClock, systemClock, UnreachableError, VenueRefusal } from './feed-clock.ts';
import { CreditBudget, FREE_CREDITS } from './twelve-data-credits.ts';
import { dateText, offeredInterval, readTimeSeries, type SymbolAnswer } from './twelve-data-shapes.ts';
import { assertVenueUrlAllowed } from './venue-guard.ts';

export interface TwelveDataOptions {
  /** Sent as a header, so that it stands in no address and no log. */
  apiKey: string;
  /** Default `https://api.twelvedata.com`. */
  baseUrl?: string;
  /** Of the exchanges that quote a pair, such as `Binance`; theirs unless given. */
  exchange?: string;
  budget?: CreditBudget;
  clock?: FeedClock;
  /** For jitter. */
  chance?: Chance;
  timeoutMs?: number;
  /** Attempts after the first. */
  retriesMax?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  /** Longest wait for credits. */
  waitMsMost?: number;
}

const ROWS_MOST = 5_000;
/** A symbol costs one credit whether it is asked for alone or among others. */
const SYMBOLS_MOST = 120;

type Outcome =
  | { readonly answers: ReadonlyMap<string, SymbolAnswer> }
  | { readonly failure: string; readonly isBudget: boolean };

/**
 * Bars of Twelve Data over REST, ascending and in UTC. Keeps within the credits of minute and day, stays away when the other
 * side says they are spent (429 as a status or in the body), retries what may pass by itself, and takes errors for what they
 * are even when they come with HTTP 200.
 */
export class TwelveData implements BarProvider {
  readonly name = 'twelve-data';
  readonly budget: CreditBudget;
  private readonly baseUrl: string;
  private readonly settings: Required<Omit<TwelveDataOptions, 'exchange' | 'budget' | 'baseUrl'>> & {
    readonly exchange: string | null;
  };
  requests = 0;
  retries = 0;

  constructor(options: TwelveDataOptions) {
    if (!/^[\x21-\x7e]{1,200}$/.test(options.apiKey))
      throw new InputError(
        'the key of Twelve Data is empty or holds other signs',
        'set it as it was given to you',
      );
    this.baseUrl = (options.baseUrl ?? 'https://api.twelvedata.com').replace(/\/+$/, '');
    this.budget = options.budget ?? new CreditBudget(FREE_CREDITS);
    this.settings = {
      apiKey: options.apiKey,
      exchange: options.exchange ?? null,
      clock: options.clock ?? systemClock,
      chance: options.chance ?? new Chance('twelve-data'),
      timeoutMs: options.timeoutMs ?? 10 * SECOND,
      retriesMax: options.retriesMax ?? 4,
      backoffBaseMs: options.backoffBaseMs ?? 500,
      backoffMostMs: options.backoffMostMs ?? 20 * SECOND,
      waitMsMost: options.waitMsMost ?? 2 * MINUTE,
    };
    assertVenueUrlAllowed(this.baseUrl, { armed: false });
  }

  async bars(request: ProviderRequest, signal?: AbortSignal): Promise<readonly ProvidedBar[]> {
    const found = await this.barsOf([request.symbol], request, signal);
    return found.get(request.symbol)!;
  }

  /**
   * The same of several symbols in as few calls as their number of rows allows; each costs a credit a call. What is offered in
   * shorter bars only is resampled; a longer bar of which a part is missing is left out. Rejects when one of them is refused.
   */
  async barsOf(
    symbols: readonly string[],
    { intervalMs, from, to }: Omit<ProviderRequest, 'symbol'>,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly ProvidedBar[]>> {
    const offered = offeredInterval(intervalMs);
    if (offered === null)
      throw new InputError(
        `bars of ${intervalMs} ms cannot be made of whole minutes`,
        'choose a multiple of a minute',
      );
    const all = new Map<string, ProvidedBar[]>(symbols.map((symbol) => [symbol, []]));
    // one less: the end of the span may be given as well
    const span = (ROWS_MOST - 1) * offered.ms;
    for (let first = 0; first < symbols.length; first += SYMBOLS_MOST) {
      const some = symbols.slice(first, first + SYMBOLS_MOST);
      for (let start = from; start < to; start += span) {
        const end = Math.min(to, start + span);
        const answers = await this.timeSeries(some, offered.name, start, end, signal);
        const closedBefore = this.settings.clock.now() - offered.ms;
        for (const symbol of some) {
          const rows = barsIn(answers.get(symbol)!, symbol);
          const wanted = rows.filter(({ time }) => time >= start && time < end && time <= closedBefore);
          all.get(symbol)!.push(...wanted.sort((a, b) => a.time - b.time));
        }
      }
    }
    return new Map(
      [...all].map(([symbol, rows]) => [symbol, resampleProvided(rows, offered.ms, intervalMs)]),
    );
  }

  /** One call. The span may hold {@link ROWS_MOST} rows at most. */
  private async timeSeries(
    symbols: readonly string[],
    interval: string,
    from: Instant,
    to: Instant,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, SymbolAnswer>> {
    const url = new URL(`${this.baseUrl}/time_series`);
    const { exchange, retriesMax, clock, chance, backoffBaseMs, backoffMostMs } = this.settings;
    const query = {
      symbol: symbols.join(','),
      interval,
      outputsize: String(ROWS_MOST),
      timezone: 'UTC',
      format: 'JSON',
      order: 'ASC',
      start_date: dateText(from),
      // whether the end itself is given is not said anywhere: what lies there is left out when it comes
      end_date: dateText(to),
      ...(exchange === null ? {} : { exchange }),
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    assertVenueUrlAllowed(url, { armed: false });
    let last = '';
    for (let attempt = 0; attempt <= retriesMax; attempt++) {
      await this.takeCredits(symbols.length, signal);
      const outcome = await this.attempt(url, symbols, signal);
      if ('answers' in outcome) return outcome.answers;
      last = outcome.failure;
      this.retries += 1;
      // the budget says itself when it may be tried again
      if (attempt < retriesMax && !outcome.isBudget)
        await clock.wait(backoffMs(attempt, backoffBaseMs, backoffMostMs, chance.uniform()), signal);
    }
    throw new UnreachableError(`${url.origin}${url.pathname}: ${last}`);
  }

  private async takeCredits(credits: number, signal?: AbortSignal): Promise<void> {
    const { clock, waitMsMost } = this.settings;
    if (credits > this.budget.limits.perMinute)
      throw new UnreachableError(
        `${credits} symbols cost more than the ${this.budget.limits.perMinute} credits of a minute`,
        'ask for fewer at once, or state the credits of your plan',
      );
    const until = clock.now() + waitMsMost;
    for (;;) {
      const now = clock.now();
      const again = await this.budget.take(credits, now);
      if (again === null) return;
      if (again > until)
        throw new UnreachableError(
          `the credits of Twelve Data are spent until ${dateText(again)} UTC`,
          'wait, or state the credits of your plan',
        );
      await clock.wait(Math.max(1, again - now), signal);
    }
  }

  private async attempt(url: URL, symbols: readonly string[], signal?: AbortSignal): Promise<Outcome> {
    const { clock, timeoutMs, apiKey } = this.settings;
    const timeout = new AbortController();
    const cancel = clock.later(timeoutMs, () => timeout.abort(new Error(`no answer in ${timeoutMs} ms`)));
    this.requests += 1;
    try {
      const both = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]);
      const headers = { authorization: `apikey ${apiKey}`, accept: 'application/json' };
      const response = await fetch(url, { signal: both, redirect: 'error', headers });
      // an empty header must not pass for nothing left
      const left = response.headers.get('api-credits-left') || null;
      const text = await response.text();
      if (left !== null && Number(left) <= 0) this.budget.spent('minute', clock.now());
      return this.read(response.status, parsed(text), symbols, url);
    } catch (cause) {
      if (cause instanceof VenueRefusal) throw cause;
      if (signal?.aborted) throw signal.reason;
      return { failure: reasonOf(cause), isBudget: false };
    } finally {
      cancel();
    }
  }

  private read(status: number, body: unknown, symbols: readonly string[], url: URL): Outcome {
    const read = readTimeSeries(body, symbols);
    const code = read !== null && 'kind' in read ? read.code : status === 200 ? 200 : status;
    const message = read !== null && 'kind' in read ? read.message : `HTTP ${status}`;
    if (status === 429 || code === 429) {
      this.budget.spent(/\bda(y|ily)\b/i.test(message) ? 'day' : 'minute', this.settings.clock.now());
      return { failure: message, isBudget: true };
    }
    if (read !== null && !('kind' in read)) {
      const spent = [...read.values()].find((one) => one.kind === 'error' && one.code === 429);
      if (spent === undefined) return { answers: read };
      this.budget.spent('minute', this.settings.clock.now());
      return { failure: (spent as { message: string }).message, isBudget: true };
    }
    if (read === null && status === 200) return { failure: 'an answer of the wrong shape', isBudget: false };
    if (code >= 500 || code === 408) return { failure: message, isBudget: false };
    if (isNothing(code, message)) return { answers: new Map(symbols.map((symbol) => [symbol, NOTHING])) };
    throw new VenueRefusal(`${url.pathname}: ${message} (code ${code})`, status, code);
  }
}

const NOTHING: SymbolAnswer = { kind: 'bars', bars: [] };

/** No bars in the span: said as an error, and none. */
const isNothing = (code: number, message: string): boolean =>
  code === 404 ? !/not found|invalid/i.test(message) : code === 400 && /no data is available/i.test(message);

function barsIn(answer: SymbolAnswer, symbol: string): readonly ProvidedBar[] {
  if (answer.kind === 'bars') return answer.bars;
  if (isNothing(answer.code, answer.message)) return [];
  if (answer.code >= 500) throw new UnreachableError(`${symbol}: ${answer.message}`);
  throw new VenueRefusal(`${symbol}: ${answer.message} (code ${answer.code})`, 200, answer.code);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  return inner instanceof Error ? ((inner as { code?: string }).code ?? inner.message) : cause.message;
}
