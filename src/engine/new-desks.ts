import { bookId, Ledger } from '#ledger';
import type { Instrument, InstrumentId } from '#market';
import { DeskRuntime } from './desk-runtime.ts';
import type { Host } from './host.ts';
import { bindParts, InstrumentRuntime, requestsOf } from './instrument-runtime.ts';
import type { LaneEffect } from './lane.ts';
import type { Observations } from './observations.ts';
import type { DeskSetup, PortfolioDefinition } from './portfolio.ts';
import { ShadowVenue } from './shadow-venue.ts';

/** Empty books for a portfolio, or for a shadow that trades under a name of its own. */
export function newLedger(
  definition: PortfolioDefinition,
  tradesAs: string,
  instrumentOf: (id: InstrumentId) => Instrument,
): Ledger {
  const { name: portfolio, base, baseMinorScale, cash, rememberedOrders } = definition;
  const ledger = new Ledger({
    portfolio,
    tradesAs,
    base,
    baseMinorScale,
    instrumentOf,
    openingCash: [{ currency: base, minorScale: baseMinorScale, amount: cash }],
    at: 0,
    ...(rememberedOrders === undefined ? {} : { remember: rememberedOrders }),
  });
  for (const { instruments } of definition.desks) for (const i of instruments) ledger.admit(i);
  return ledger;
}

/** The shadow of a desk, flat. */
export function newShadow(
  definition: PortfolioDefinition,
  { name, instruments, parts }: DeskSetup,
  instrumentOf: (id: InstrumentId) => Instrument,
  onEffect: (effect: LaneEffect, report: Parameters<ShadowVenue['lane']['report']>[0]) => void,
): ShadowVenue {
  const called = `${definition.name}-${name}-shadow`;
  return new ShadowVenue({
    name: called,
    venue: definition.shadowVenue,
    instruments: instruments.map(({ id }) => id),
    postOnly: parts.entry?.type === 'limit' && parts.entry.postOnly,
    instrumentOf,
    ledger: newLedger(definition, called, instrumentOf),
    onEffect,
  });
}

/** A desk at its beginning. Its instruments are in order of their ids. */
export function newDesk(
  definition: PortfolioDefinition,
  setup: DeskSetup,
  around: { readonly host: Host; readonly shadow: ShadowVenue; readonly observations: Observations },
): DeskRuntime {
  const requests = requestsOf(setup.parts);
  const bindings = bindParts(setup.parts, requests);
  const byId = new Map<InstrumentId, InstrumentRuntime>();
  const traded = new Set(setup.instruments);
  const watched = (setup.watched ?? []).filter(({ id }) => !setup.instruments.some((one) => one.id === id));
  const watchRequests = setup.parts.watchFeatures ?? requests;
  for (const instrument of [...traded, ...watched].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const runtime = new InstrumentRuntime({
      instrument,
      book: bookId({
        portfolio: definition.name,
        desk: setup.name,
        configuration: setup.configuration,
        instrument: instrument.id,
      }),
      intervalMs: setup.intervalMs,
      feedMs: (ms) => definition.feedMs(instrument.id, ms),
      traded: traded.has(instrument),
      otherMs: setup.otherMs,
      parts: setup.parts,
      requests: traded.has(instrument) ? requests : watchRequests,
      bindings,
      keepBars: setup.models === undefined ? null : setup.parts.warmUpBars,
      peers: (id) => byId.get(id) ?? null,
      observations: around.observations,
    });
    byId.set(instrument.id, runtime);
  }
  return new DeskRuntime({
    name: setup.name,
    parts: setup.parts,
    instruments: [...byId.values()],
    host: around.host,
    shadow: around.shadow,
    models: setup.models?.begun ?? null,
    autoResume: definition.autoResume ?? false,
  });
}
