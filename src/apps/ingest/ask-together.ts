import {
  type BarProvider,
  type ProvidedBar,
  type ProviderRequest,
  resampleProvided,
  VenueRefusal,
} from '#adapters';
import { type Instant, MINUTE } from '#base';

/** A provider that answers for several symbols at the price of one call. */
interface ManyAtOnce extends BarProvider {
  barsOf(
    symbols: readonly string[],
    span: Omit<ProviderRequest, 'symbol'>,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly ProvidedBar[]>>;
}

interface Ask {
  readonly request: ProviderRequest;
  readonly answer: (bars: readonly ProvidedBar[]) => void;
  readonly refuse: (cause: unknown) => void;
}

/** Bars of all configs close in the same second: so long the first ask waits for the others. */
const GATHER_MS = 25;
/** Minutes of one call. */
const MINUTES_MOST = 4_900;

/**
 * Asks a provider for what several configs want at once: one-minute bars, one call for all symbols, from which the longer
 * bars of the same symbol are made. At a quarter of an hour sixteen configs cost four credits so, and not sixteen.
 */
export class AskTogether implements BarProvider {
  readonly name: string;
  private readonly inner: BarProvider;
  private readonly ends = new AbortController();
  private asks: Ask[] = [];

  constructor(inner: BarProvider) {
    this.inner = inner;
    this.name = inner.name;
  }

  bars(request: ProviderRequest, signal?: AbortSignal): Promise<readonly ProvidedBar[]> {
    return new Promise((answer, refuse) => {
      if (signal?.aborted === true) {
        refuse(signal.reason);
        return;
      }
      signal?.addEventListener('abort', () => refuse(signal.reason), { once: true });
      this.asks.push({ request, answer, refuse });
      if (this.asks.length === 1) setTimeout(() => void this.send(), GATHER_MS);
    });
  }

  /** Nothing is asked any more. */
  close(): void {
    this.ends.abort(new Error('the program ends'));
  }

  private async send(): Promise<void> {
    const { asks } = this;
    this.asks = [];
    const from = Math.min(...asks.map(({ request }) => request.from));
    const to = Math.max(...asks.map(({ request }) => request.to));
    const fits = to - from <= MINUTES_MOST * MINUTE;
    if (fits && 'barsOf' in this.inner && (await this.askAll(asks, from, to))) return;
    const bySymbol = Map.groupBy(asks, ({ request }) => request.symbol);
    await Promise.all([...bySymbol].map(([symbol, some]) => this.askOne(symbol, some)));
  }

  /** False when it was refused because of one of them: they are then asked for one by one. */
  private async askAll(asks: readonly Ask[], from: Instant, to: Instant): Promise<boolean> {
    const symbols = [...new Set(asks.map(({ request }) => request.symbol))];
    try {
      const span = { intervalMs: MINUTE, from, to };
      const found = await (this.inner as ManyAtOnce).barsOf(symbols, span, this.ends.signal);
      for (const ask of asks) give(ask, found.get(ask.request.symbol) ?? []);
      return true;
    } catch (cause) {
      if (cause instanceof VenueRefusal && symbols.length > 1) return false;
      for (const ask of asks) ask.refuse(cause);
      return true;
    }
  }

  private async askOne(symbol: string, asks: readonly Ask[]): Promise<void> {
    const from = Math.min(...asks.map(({ request }) => request.from));
    const to = Math.max(...asks.map(({ request }) => request.to));
    try {
      const found = await this.inner.bars({ symbol, intervalMs: MINUTE, from, to }, this.ends.signal);
      for (const ask of asks) give(ask, found);
    } catch (cause) {
      for (const ask of asks) ask.refuse(cause);
    }
  }
}

function give({ request, answer }: Ask, minutes: readonly ProvidedBar[]): void {
  const { intervalMs, from, to } = request;
  const own = minutes.filter(({ time }) => time >= from && time < to);
  answer(resampleProvided(own, MINUTE, intervalMs));
}
