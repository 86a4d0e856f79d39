import { type Instant, MINUTE } from '#base';
import {
  type Command,
  type DeskParts,
  Engine,
  type Event,
  type JournalEntry,
  Loop,
  NO_TRACE,
  type PortfolioDefinition,
  type TraceSink,
} from '#engine';
import { single } from '#ensemble';
import { simulatedVenue, venueOptions } from '#execution';
import type { VenueReport } from '#ledger';
import { type Bar, currency, type Instrument, type MarketEvent } from '#market';
import { fixedUnits, stopLossExit, takeProfitExit, timeExit } from '#risk';
import { crossSource } from '#signals';
import { perpetual } from '../support/instruments.ts';

/** A small portfolio and a small world for laws about the whole engine: thousands of lives in seconds. */
export const INTERVAL = 5 * MINUTE;
export const START: Instant = Date.UTC(2024, 0, 1);

export const PAIR: readonly [Instrument, Instrument] = ['AAA', 'BBB'].map((symbol) =>
  perpetual(`${symbol}.LAW`, { lot: { units: 1, scale: 2 }, minorScale: 6, maxLeverage: 20 }),
) as unknown as readonly [Instrument, Instrument];

export const instrumentOf = (id: Instrument['id']): Instrument => PAIR.find((i) => i.id === id)!;

export function crossingDesk(changes: Partial<DeskParts> = {}): DeskParts {
  return {
    interval: '5m',
    warmUpBars: 3,
    sources: [crossSource({ fast: 'sma:1', slow: 'sma:3' })],
    pooling: single(),
    sizer: fixedUnits(2, {
      leverage: 2,
      stop: { atr: 'atr:2', atrMultiple: 1, costMultiple: 0, targetMultiple: 2 },
    }),
    exits: [stopLossExit(), takeProfitExit(), timeExit({ otherwiseMs: 6 * INTERVAL })],
    opposite: 'reverse',
    ...changes,
  };
}

export function lawPortfolio(
  parts: DeskParts,
  instruments: readonly Instrument[] = [PAIR[0]],
  trace: TraceSink = NO_TRACE,
): PortfolioDefinition {
  const { instrumentOf: _, seed: __, ...shadowVenue } = venueOptions({ instrumentOf });
  const desk = {
    name: 'law',
    configuration: 'default',
    parts,
    instruments,
    intervalMs: INTERVAL,
    otherMs: [],
  };
  return {
    name: 'laws',
    base: currency('USDT'),
    baseMinorScale: PAIR[0].minorScale,
    cash: 100_000 * 10 ** PAIR[0].minorScale,
    desks: [desk],
    feedMs: () => INTERVAL,
    breaker: parts.breaker ?? null,
    platform: null,
    running: true,
    feeRate: null,
    shadowVenue,
    trace,
  };
}

/** Steps in tenths of a percent become bars around a walk; `wick` widens them. */
export function barsOf(steps: readonly number[], wick = 0.002): Bar[] {
  let price = 1_000;
  return steps.map((step, k) => {
    const open = Math.round(price * 10) / 10;
    price = Math.max(10, price * (1 + step / 1_000));
    const close = Math.round(price * 10) / 10;
    const high = Math.round(Math.max(open, close) * (1 + wick) * 10) / 10;
    const low = Math.round(Math.min(open, close) * (1 - wick) * 10) / 10;
    return { time: START + k * INTERVAL, open, high, low, close, volume: 10_000 };
  });
}

export function closed(instrument: Instrument, bar: Bar): MarketEvent {
  const at = bar.time + INTERVAL;
  return { kind: 'bar-closed', at, eventTime: at, instrument: instrument.id, intervalMs: INTERVAL, bar };
}

/** What the market does: bars of the first instrument, and whatever else is mixed in (kept in order of `at`). */
export function marketOf(bars: readonly Bar[], more: readonly Event[] = []): Event[] {
  const events: Event[] = bars.map((bar) => closed(PAIR[0], bar));
  return [...events, ...more].sort((a, b) => a.at - b.at);
}

export interface Life {
  readonly engine: Engine;
  readonly entries: readonly JournalEntry[];
  readonly commands: readonly Command[];
  /** Events the engine took. */
  readonly steps: number;
  /** The engine after the event asked for, and how many journal entries there were then. */
  readonly snapshot: { readonly position: number; readonly text: string } | null;
}

/** Lives through the events with a faithful venue that fills at the next open. Questions get `answer`. */
export function live(
  definition: PortfolioDefinition,
  events: readonly Event[],
  options: { snapshotAfter?: number; answer?: unknown; trueMarket?: readonly Event[] } = {},
): Life {
  const engine = new Engine(definition);
  const venue = simulatedVenue(venueOptions({ instrumentOf, seed: 'laws', latencyMs: 0 }));
  const entries: JournalEntry[] = [];
  const commands: Command[] = [];
  let snapshot: Life['snapshot'] = null;
  let steps = 0;
  const inbox: Event[] = [];
  const add = (kind: JournalEntry['kind'], text: string) =>
    entries.push({ position: entries.length, kind, text });
  const loop = new Loop(
    engine,
    {
      append: (kind, text) => void add(kind, text),
      commit: () => {},
      urgent: (text) => void add('command', text),
    },
    {
      carryOut: (command, at) => {
        commands.push(command);
        if (command.kind === 'ask-question') {
          const { questionId } = command;
          inbox.push({
            kind: 'answer-received',
            at,
            eventTime: at,
            questionId,
            answer: options.answer,
            error: null,
          });
        } else if (command.kind !== 'raise-alert') inbox.push(...venue.execute(command, at));
      },
    },
  );
  const dispatch = (event: Event) => {
    loop.dispatch({ ...event, at: Math.max(event.at, engine.at) });
    steps += 1;
    if (steps === options.snapshotAfter) {
      snapshot = { position: entries.length, text: JSON.stringify(engine.capture()) };
    }
  };
  const drain = () => {
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) dispatch(next);
  };
  const take = (reports: readonly VenueReport[]) => {
    inbox.push(...reports);
    drain();
  };
  for (const event of events) {
    for (let due = engine.nextDue(); due < event.at; due = engine.nextDue()) {
      take(venue.advanceTo(due));
      dispatch({ kind: 'timer-fired', at: due, eventTime: due });
      drain();
    }
    if (event.kind === 'bar-closed') {
      const { instrument, intervalMs, bar } = event;
      const opened = {
        kind: 'bar-opened' as const,
        at: event.at,
        eventTime: bar.time,
        instrument,
        intervalMs,
        open: bar.open,
      };
      take(venue.onMarket(opened));
    }
    if (!('by' in event) && isMarket(event)) take(venue.onMarket(event));
    dispatch(event);
    drain();
  }
  return { engine, entries, commands, steps, snapshot };
}

const MARKET = new Set<string>([
  'bar-closed',
  'quote-updated',
  'print-seen',
  'mark-updated',
  'funding-due',
  'fx-rate-updated',
  'observation-published',
  'feed-changed',
  'book-changed',
  'open-interest-updated',
  'liquidation-seen',
]);

const isMarket = (event: Event): event is MarketEvent => MARKET.has(event.kind);

/** Throws unless the books sum to zero and the identity is exact in every currency. */
export function checkBooks(engine: Engine): void {
  const { ledger } = engine.real;
  for (const [code, sum] of ledger.trialBalance())
    if (sum !== 0) throw new Error(`books in ${code} sum to ${sum}`);
  for (const code of ledger.currencies()) {
    const f = ledger.currencySummary(code)!;
    const equity = f.cashStart + f.realised - f.fees - f.funding + f.unrealised;
    if (!Number.isSafeInteger(f.equity) || f.equity !== equity)
      throw new Error(`equity ${f.equity}, identity ${equity}`);
  }
}
