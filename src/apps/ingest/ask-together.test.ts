import { describe, expect, it } from 'vitest';
import {
  type BarProvider,
  type ProvidedBar,
  type ProviderRequest,
  UnreachableError,
  VenueRefusal,
} from '#adapters';
import { MINUTE } from '#base';
import { AskTogether } from './ask-together.ts';

const T0 = Date.UTC(2025, 0, 15, 14, 30);

const minutes = (from: number, to: number): ProvidedBar[] =>
  Array.from({ length: (to - from) / MINUTE }, (_, i) => {
    const time = from + i * MINUTE;
    const open = (time / MINUTE) % 1_000;
    return { time, open, high: open + 2, low: open - 1, close: open + 1, volume: null };
  });

class Many implements BarProvider {
  readonly name = 'many';
  readonly calls: { symbols: readonly string[]; from: number; to: number; intervalMs: number }[] = [];
  fault: Error | null = null;

  async bars({ symbol, ...span }: ProviderRequest): Promise<readonly ProvidedBar[]> {
    return (await this.barsOf([symbol], span)).get(symbol)!;
  }

  async barsOf(symbols: readonly string[], span: Omit<ProviderRequest, 'symbol'>) {
    this.calls.push({ symbols, ...span });
    if (this.fault !== null) throw this.fault;
    if (symbols.includes('NOPE')) throw new VenueRefusal('no such symbol', 200, 404);
    return new Map(symbols.map((symbol) => [symbol, minutes(span.from, span.to)]));
  }
}

const ask = (symbol: string, bars: number, of = 1): ProviderRequest => ({
  symbol,
  intervalMs: of * MINUTE,
  from: T0 - bars * of * MINUTE,
  to: T0,
});

describe('asks of one moment', () => {
  it('cost one call, from whose minutes the longer bars are made', async () => {
    const inner = new Many();
    const together = new AskTogether(inner);
    const [one, five, other] = await Promise.all([
      together.bars(ask('BTC', 1)),
      together.bars(ask('BTC', 2, 5)),
      together.bars(ask('ETH', 1, 3)),
    ]);
    expect(inner.calls).toEqual([
      { symbols: ['BTC', 'ETH'], intervalMs: MINUTE, from: T0 - 10 * MINUTE, to: T0 },
    ]);
    expect(one).toEqual(minutes(T0 - MINUTE, T0));
    expect(five.map((bar) => bar.time)).toEqual([T0 - 10 * MINUTE, T0 - 5 * MINUTE]);
    expect(five[0]).toMatchObject({ open: minutes(T0 - 10 * MINUTE, T0)[0]!.open, volume: null });
    expect(other).toHaveLength(1);
    await together.bars(ask('BTC', 1));
    expect(inner.calls).toHaveLength(2);
  });

  it('of which one is refused are asked one by one', async () => {
    const inner = new Many();
    const together = new AskTogether(inner);
    const [good, bad] = await Promise.allSettled([
      together.bars(ask('BTC', 1)),
      together.bars(ask('NOPE', 1)),
    ]);
    expect(good.status).toBe('fulfilled');
    expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(VenueRefusal) });
    expect(inner.calls).toHaveLength(3);
  });

  it('that nobody answers fail all, without another try', async () => {
    const inner = new Many();
    inner.fault = new UnreachableError('away');
    const together = new AskTogether(inner);
    const asked = await Promise.allSettled([together.bars(ask('BTC', 1)), together.bars(ask('ETH', 1))]);
    expect(asked.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    expect(inner.calls).toHaveLength(1);
  });

  it('over a span that no call holds are asked by symbol', async () => {
    const inner = new Many();
    const together = new AskTogether(inner);
    const [long] = await Promise.all([together.bars(ask('BTC', 5_000)), together.bars(ask('ETH', 1))]);
    expect(long).toHaveLength(5_000);
    expect(inner.calls.map((call) => call.symbols)).toEqual([['BTC'], ['ETH']]);
  });

  it('end with their own signal', async () => {
    const together = new AskTogether(new Many());
    const stop = new AbortController();
    const asked = together.bars(ask('BTC', 1), stop.signal);
    const other = together.bars(ask('BTC', 1));
    stop.abort(new Error('too late'));
    await expect(asked).rejects.toThrow('too late');
    await expect(together.bars(ask('BTC', 1), stop.signal)).rejects.toThrow('too late');
    expect(await other).toHaveLength(1);
  });
});
