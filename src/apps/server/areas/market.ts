import { parseInterval, stepsToText } from '#base';
import { instrumentFor, instrumentIdOf, parseInstrumentId } from '#market';
import type { MARKET_ROUTES } from '../../contract/areas/market.ts';
import type { AnswerOf } from '../../contract/index.ts';
import { type ConsoleContext, type Handlers, Problem } from '../context.ts';
import { askedOf } from '../data/asking.ts';
import { intervalsOf } from '../data/bar-rows.ts';
import { BookViews, floatText } from '../data/book-view.ts';
import { chartOf, indicatorList, indicatorsOf } from '../data/chart.ts';
import { deskPartsIn } from '../data/desk-parts.ts';
import { fromProjections, perhaps } from '../data/reach.ts';
import { headerIn } from '../data/standing.ts';
import { workingOrders } from '../data/trading-lists.ts';

type Instruments = AnswerOf<(typeof MARKET_ROUTES)['instruments']>;
type Line = Instruments['items'][number];

export function marketHandlers(context: ConsoleContext): Handlers<typeof MARKET_ROUTES> {
  const { portfolios } = context;
  const books = new BookViews();
  return {
    instruments: async ({ query }) => instrumentsOf(context, await portfolios.choose(query.portfolio)),
    bars: async ({ query }) => {
      // what is wrong with a question is told before anything is read for it
      checkedId(query.instrument);
      indicatorsOf(query.indicators);
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => chartOf(store, query));
    },
    indicators: () => ({ items: indicatorList() }),
    orderBook: async ({ query }) => {
      checkedId(query.instrument);
      const name = await portfolios.choose(query.portfolio);
      const { value: orders } = await perhaps(context, name, (store) =>
        workingOrders(store, query.instrument),
      );
      const view = books.look(portfolios.folder(name), query.instrument);
      const levels = (side: readonly (readonly [number, number])[]) =>
        side.map(([price, size]) => ({ price: floatText(price), quantity: floatText(size) }));
      return {
        at: view?.at ?? null,
        finest: view?.finest ?? 'none',
        bids: levels(view?.bids ?? []),
        asks: levels(view?.asks ?? []),
        own: (orders ?? []).flatMap(({ id, price, stopPrice, quantity, side }) => {
          const at = price ?? stopPrice;
          return at === null ? [] : [{ id, price: at, quantity, side }];
        }),
      };
    },
  };
}

function checkedId(text: string): void {
  if (!/^[\x21-\x7e]{3,120}$/.test(text))
    throw new Problem(
      400,
      'bad-input',
      'this is no instrument',
      'write SYMBOL.VENUE as /api/v1/instruments does',
    );
  parseInstrumentId(text);
}

async function instrumentsOf(context: ConsoleContext, name: string): Promise<Instruments> {
  const folder = context.portfolios.folder(name);
  const header = headerIn(folder);
  const status = await askedOf(context, name, 'status');
  const byId = new Map<string, { desks: string[]; price: number | null; regime: string | null }>();
  const add = (id: string, desk: string, price: number | null, regime: string | null) => {
    const known = byId.get(id) ?? { desks: [], price: null, regime: null };
    if (!known.desks.includes(desk)) known.desks.push(desk);
    byId.set(id, { ...known, price: price ?? known.price, regime: regime ?? known.regime });
  };
  const parts = await deskPartsIn(folder);
  if (status !== null)
    for (const { id, desk, price, regime } of status.instruments) add(id, desk, price, regime);
  else {
    for (const [i, given] of (header?.request.portfolio.desks ?? []).entries()) {
      const desk = header!.desks[i]?.name ?? given.name ?? given.desk;
      const offered = header?.series?.map(([id]) => id as string);
      for (const id of given.instruments ?? offered ?? parts.get(desk)?.instruments ?? [])
        add(instrumentIdOf(id), desk, null, null);
    }
  }
  const series = new Map<string, number>(header?.series ?? []);
  const { value: kept } = await perhaps(context, name, async (store) => {
    const found = new Map<string, number>();
    for (const id of byId.keys()) {
      const [finest] = await intervalsOf(store, id);
      if (finest !== undefined) found.set(id, finest);
    }
    return found;
  });
  const items = [...byId].map(([id, about]): Line => {
    const intervals = about.desks.map((desk) => parseInterval(parts.get(desk)?.interval ?? ''));
    return line(id, about, kept?.get(id) ?? series.get(id) ?? intervals.find((ms) => ms !== null) ?? 0);
  });
  return { items: items.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

function line(
  id: string,
  about: { desks: string[]; price: number | null; regime: string | null },
  intervalMs: number,
): Line {
  const { venue, kind, tick, lot, minorScale, settle } = instrumentFor(instrumentIdOf(id));
  return {
    id,
    venue,
    kind,
    tick: stepsToText(1, tick),
    lot: stepsToText(1, lot),
    minorScale,
    settle,
    ...about,
    intervalMs,
  };
}
