import type { Instant } from '#base';
import type { Command, Event, TraceLine } from '#engine';
import type { VenueCommand } from '#execution';
import type { SpanAttributes, SpanPlace, SpanValue } from '../traces/spans.ts';
import { placeIn } from '../traces/spans.ts';
import type { TraceFigures, Traces } from '../traces/traces.ts';

/** One stage of a turn; times by the monotonic clock. */
interface Part {
  readonly name: 'decide' | 'commit' | 'send';
  readonly from: number;
  readonly to: number;
  readonly attributes: SpanAttributes;
}

/** Stages, orders and instruments of one turn that a trace names; the rest is counted. */
const PARTS_MOST = 64;
const NAMED_MOST = 32;

/**
 * Turns of the loop as traces: what {@link StageTimes} measures, kept until the turn is durable, and sent only when something
 * was decided in it. Stands outside of what decides: it is told, and nobody asks it.
 */
export class TurnTrace {
  private readonly traces: Traces;
  private readonly portfolio: string;
  private from = -1;
  private parts: Part[] = [];
  private left = 0;
  private lines = 0;
  private linesBefore = 0;
  private commands = 0;
  private slice: Instant | null = null;
  private act: { readonly action: string; readonly parent: SpanPlace | null; refused: boolean } | null = null;
  private readonly outcomes = new Map<string, number>();
  private readonly instruments = new Set<string>();
  private readonly orders = new Set<string>();

  constructor(traces: Traces, portfolio: string) {
    this.traces = traces;
    this.portfolio = portfolio;
  }

  figures(): TraceFigures {
    return this.traces.figures();
  }

  /** Something comes; `now` by the monotonic clock, as everywhere here. */
  begins(now: number): void {
    if (this.from < 0) this.from = now;
  }

  /** An operator's act comes, in the trace of whoever sent it. */
  acts(action: string, traceparent: string | undefined): void {
    this.begins(performance.now());
    this.act = { action, parent: placeIn(traceparent), refused: false };
  }

  refused(): void {
    if (this.act !== null) this.act.refused = true;
  }

  /** A line of the decision trace was made. */
  decided(line: TraceLine): void {
    if (line.type !== 'decision') return;
    this.lines += 1;
    this.slice = line.at;
    this.outcomes.set(line.outcome, (this.outcomes.get(line.outcome) ?? 0) + 1);
    if (this.instruments.size < NAMED_MOST) this.instruments.add(line.instrument);
  }

  /** The engine took an event. Steps that led to nothing are no part of a trace. */
  stepped(event: Event, commands: readonly Command[], from: number, to: number): void {
    this.begins(from);
    const lines = this.lines - this.linesBefore;
    this.linesBefore = this.lines;
    this.commands += commands.length;
    if (commands.length === 0 && lines === 0 && event.kind !== 'operator-acted') return;
    const attributes: Record<string, SpanValue> = {
      'quorum.event': event.kind,
      'quorum.decisions': lines,
      'quorum.commands': commands.length,
    };
    if ('instrument' in event && typeof event.instrument === 'string')
      attributes['quorum.instrument'] = event.instrument;
    this.add({ name: 'decide', from, to, attributes });
  }

  /** The journal was made durable. */
  committed(entries: number, from: number, to: number): void {
    this.begins(from);
    this.add({ name: 'commit', from, to, attributes: { 'quorum.entries': entries } });
  }

  /** A command was handed to the venue. */
  sent(command: VenueCommand, from: number, to: number): void {
    const isNew = command.kind === 'submit-order';
    const clientId = isNew ? command.order.clientId : command.clientId;
    if (this.orders.size < NAMED_MOST) this.orders.add(clientId);
    if (isNew && this.instruments.size < NAMED_MOST) this.instruments.add(command.order.instrument);
    const attributes: Record<string, SpanValue> = {
      'quorum.command': command.kind,
      'quorum.client_order_id': clientId,
    };
    if (isNew) attributes['quorum.instrument'] = command.order.instrument;
    this.add({ name: 'send', from, to, attributes });
  }

  /** The turn is over and durable, at `at` of the loop. */
  over(at: Instant): void {
    if (this.lines > 0 || this.commands > 0 || this.act !== null) this.tell(this.slice ?? at);
    this.from = -1;
    this.parts = [];
    this.left = this.lines = this.linesBefore = this.commands = 0;
    this.slice = this.act = null;
    this.outcomes.clear();
    this.instruments.clear();
    this.orders.clear();
  }

  private add(part: Part): void {
    if (this.parts.length < PARTS_MOST) this.parts.push(part);
    else this.left += 1;
  }

  private tell(at: Instant): void {
    const { act, traces } = this;
    const turn = traces.begin('turn', act === null ? 'internal' : 'server', act?.parent ?? null, this.from);
    if (!turn.place.sampled) return;
    for (const { name, from, to, attributes } of this.parts)
      traces.begin(name, 'internal', turn.place, from).end(attributes, { at: to });
    const attributes: Record<string, SpanValue> = {
      'quorum.portfolio': this.portfolio,
      'quorum.slice': new Date(at).toISOString(),
      'quorum.instruments': [...this.instruments],
      'quorum.decisions': this.lines,
      'quorum.commands': this.commands,
      'quorum.client_order_ids': [...this.orders],
    };
    for (const [outcome, count] of this.outcomes) attributes[`quorum.outcome.${outcome}`] = count;
    if (act !== null) attributes['quorum.act'] = act.action;
    if (act?.refused === true) attributes['quorum.act.refused'] = true;
    if (this.left > 0) attributes['quorum.stages_left_out'] = this.left;
    turn.end(attributes);
  }
}
