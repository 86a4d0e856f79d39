import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import type { ClientOrderId, Fill, VenueReport } from '#ledger';
import { fills, funding, MIN, PERP, play, story, submit } from '../../test/support/venue-kit.ts';
import { type FaultModel, NO_FAULTS } from './fault-model.ts';
import { HostileVenue, simulatedVenue, splitFill } from './faults.ts';
import { SimulatedVenue } from './simulated-venue.ts';
import { venueOptions } from './venue-options.ts';

const T = 60 * MIN;
const FLAT = [100, 101, 99, 100] as const;
const options = venueOptions({ instrumentOf: () => PERP, latencyMs: 0 });
const hostile = (faults: Partial<FaultModel>) => new HostileVenue(options, { ...NO_FAULTS, ...faults });
const ask = (sim: HostileVenue, id: string, at: number) =>
  sim.execute({ kind: 'query-order', clientId: id as ClientOrderId }, at);

describe('a hostile venue', () => {
  it('without faults says what the venue within says', () => {
    const sim = hostile({});
    expect(story(submit(sim, T, { id: 'm' }))).toEqual(['accepted:m']);
    expect(fills(play(sim, T, FLAT))).toEqual(['buy 1@100 taker']);
  });
  it('lost acknowledgements and fills: the order lives, a query reveals it', () => {
    const sim = hostile({ lostReport: 1, lostFill: 1, until: T + 10 * MIN });
    expect(submit(sim, T, { id: 'm' })).toEqual([]);
    expect(play(sim, T, FLAT)).toEqual([]);
    expect(ask(sim, 'm', T + MIN)).toEqual([]);
    expect(story(ask(sim, 'm', T + 10 * MIN))).toEqual(['accepted:m', 'filled:m:1@100']);
  });
  it('lost sends: nobody knows the order', () => {
    const sim = hostile({ lostSend: 1, until: T + MIN });
    expect(submit(sim, T, { id: 'm' })).toEqual([]);
    expect(play(sim, T, FLAT)).toEqual([]);
    expect(story(ask(sim, 'm', T + MIN))).toEqual(['unknown:m']);
  });
  it('rejected sends are known to have failed', () => {
    const sim = hostile({ rejectedSend: 1, until: T + MIN });
    expect(story(submit(sim, T, { id: 'm' }))).toEqual(['rejected:m:venue-busy']);
    expect(story(ask(sim, 'm', T + MIN))).toEqual(['unknown:m']);
  });
  it('delayed reports come later, never before their time', () => {
    const sim = hostile({ delay: 1, delayMsMax: 1000 });
    expect(submit(sim, T, { id: 'm' })).toEqual([]);
    const late = sim.advanceTo(T + 1000);
    expect(late).toMatchObject([{ kind: 'order-accepted', at: T + 1000, eventTime: T }]);
  });
  it('duplicates carry the same fill id', () => {
    const sim = hostile({ duplicate: 1, delayMsMax: 1000 });
    submit(sim, T, { id: 'm' });
    const told = [...play(sim, T, FLAT), ...sim.advanceTo(T + 10 * MIN)].flatMap((r) =>
      r.kind === 'order-filled' ? [r.fill.fillId] : [],
    );
    expect(told).toEqual(['m#1', 'm#1']);
  });
  it('money moved is late at worst', () => {
    const sim = hostile({ lostReport: 1, lostFill: 1, delay: 1 });
    submit(sim, T, { id: 'm', lots: 100 });
    play(sim, T, FLAT);
    expect(sim.onMarket(funding(T + 2 * MIN, 0.001, 100))).toEqual([]);
    expect(story(sim.advanceTo(T + 3 * MIN))).toEqual(['funding:1000000000']);
  });
  it('split fills add up and are split alike when asked again', () => {
    const sim = hostile({ split: 1, splitParts: 4 });
    submit(sim, T, { id: 'm', lots: 1000 });
    const first = play(sim, T, FLAT).filter((r) => r.kind === 'order-filled');
    const again = ask(sim, 'm', T + MIN).filter((r) => r.kind === 'order-filled');
    const facts = (reports: readonly VenueReport[]) =>
      reports.map((r) => r.kind === 'order-filled' && r.fill);
    expect(first.length).toBeGreaterThan(1);
    expect(facts(again)).toEqual(facts(first));
    expect(first.reduce((sum, r) => sum + (r.kind === 'order-filled' ? r.fill.lots : 0), 0)).toBe(1000);
    const fill: Fill = {
      fillId: 'f',
      clientId: 'c' as ClientOrderId,
      instrument: PERP.id,
      side: 'buy',
      lots: 7,
      ticks: 1,
      fee: -5,
      liquidity: 'maker',
    };
    const parts = splitFill(fill, 3, new Chance(1));
    expect(parts.reduce((sum, part) => sum + part.fee, 0)).toBe(-5);
    expect(new Set(parts.map((part) => part.fillId)).size).toBe(parts.length);
  });
  it('fills overtake slow cancellations', () => {
    const sim = hostile({ slowCancel: 1, slowCancelMsMax: MIN });
    submit(sim, T, { id: 'l', type: 'limit', limitTicks: 1005 });
    sim.execute({ kind: 'cancel-order', clientId: 'l' as ClientOrderId, reason: 'r' }, T);
    const told = [...play(sim, T, FLAT), ...sim.advanceTo(T + 2 * MIN)];
    expect(story(told)).toEqual(['filled:l:1@100', 'cancel-rejected:l:filled']);
  });
  it('disconnects: commands vanish, reports wait or are lost', () => {
    const sim = hostile({ disconnectEveryMs: 10 * MIN, disconnectMsMax: 10 * MIN });
    let downs = 0;
    let late = 0;
    for (let at = T; at < T + 600 * MIN; at += MIN) {
      sim.advanceTo(at);
      if (!sim.isConnected(at)) downs += 1;
      submit(sim, at, { id: `m${at}`, type: 'limit', limitTicks: 995 });
      for (const r of play(sim, at, FLAT)) if (r.kind === 'order-filled' && r.at > r.eventTime) late += 1;
    }
    expect(downs).toBeGreaterThan(50);
    expect(downs).toBeLessThan(550);
    expect(late).toBeGreaterThan(0);
  });
  it('the options choose the venue', () => {
    expect(simulatedVenue(options)).toBeInstanceOf(SimulatedVenue);
    expect(simulatedVenue({ ...options, faults: NO_FAULTS })).toBeInstanceOf(HostileVenue);
  });
});
