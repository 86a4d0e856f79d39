import { assert, Chance, type Instant } from '#base';
import type { Fill, VenueReport } from '#ledger';
import type { MarketEvent } from '#market';
import type { FaultModel } from './fault-model.ts';
import { NO_REPORTS, type VenueFold } from './port.ts';
import { SimulatedVenue } from './simulated-venue.ts';
import type { VenueCommand } from './venue.ts';
import type { SimulatedVenueOptions } from './venue-options.ts';

interface Letter {
  readonly dueAt: Instant;
  readonly report: VenueReport;
}

interface Held {
  readonly dueAt: Instant;
  readonly command: VenueCommand;
}

/** What cannot be asked for again is never lost, only late: money moved, fills nobody asked for. */
const isAskable = (report: VenueReport): boolean =>
  report.kind !== 'funding-charged' && report.kind !== 'unasked-fill' && report.kind !== 'account-reported';

/**
 * A simulated venue behind a bad line. What it holds is the truth; what it says may be late, repeated, split, missing.
 * `query-order` brings the truth out, unless the question itself is lost: ask again. A fold like the venue within:
 * the same seed, commands and events give the same reports.
 */
export class HostileVenue implements VenueFold {
  static readonly configuration = ['faults'];
  private readonly faults: FaultModel;
  private readonly venue: SimulatedVenue;
  private readonly chance: Chance;
  private letters: Letter[] = [];
  private held: Held[] = [];
  private downFrom: Instant = Number.POSITIVE_INFINITY;
  private downUntil: Instant = Number.POSITIVE_INFINITY;
  private started = false;

  constructor(options: SimulatedVenueOptions, faults: FaultModel) {
    this.faults = faults;
    this.venue = new SimulatedVenue(options);
    this.chance = new Chance(`${faults.seed}/faults`);
  }

  execute(command: VenueCommand, at: Instant): readonly VenueReport[] {
    this.keepLine(at);
    const out = this.collect(at);
    const { rejectedSend, lostSend, slowCancel, slowCancelMsMax } = this.faults;
    if (command.kind === 'submit-order' && this.strikes(rejectedSend, at)) {
      const { clientId } = command.order;
      out.push({ kind: 'order-rejected', at, eventTime: at, clientId, reason: 'venue-busy' });
      return out;
    }
    if (this.isDown(at) || this.strikes(lostSend, at)) return finished(out);
    const holdable = command.kind === 'cancel-order' || command.kind === 'amend-order';
    if (holdable && this.strikes(slowCancel, at)) {
      this.held.push({ dueAt: at + 1 + this.chance.below(slowCancelMsMax), command });
      return finished(out);
    }
    this.pass(this.venue.execute(command, at), at, out);
    return finished(out);
  }

  onMarket(event: MarketEvent): readonly VenueReport[] {
    this.keepLine(event.at);
    const out = this.collect(event.at);
    this.pass(this.venue.onMarket(event), event.at, out);
    return finished(out);
  }

  advanceTo(at: Instant): readonly VenueReport[] {
    this.keepLine(at);
    const out = this.collect(at);
    this.pass(this.venue.advanceTo(at), at, out);
    return finished(out);
  }

  /** The truth about nets and open orders, as a reconnecting client would fetch it. */
  accountReport(at: Instant, venue?: string): VenueReport {
    return this.venue.accountReport(at, venue);
  }

  venues(): string[] {
    return this.venue.venues();
  }

  /** False while the line is down: a client would see this from its socket. */
  isConnected(at: Instant): boolean {
    return !this.isDown(at);
  }

  private calm(at: Instant): boolean {
    return this.faults.until !== null && at >= this.faults.until;
  }

  private strikes(p: number, at: Instant): boolean {
    return p > 0 && this.chance.happens(p) && !this.calm(at);
  }

  private isDown(at: Instant): boolean {
    return at >= this.downFrom && at < this.downUntil && !this.calm(at);
  }

  /** Draws the next disconnection once the last is over. */
  private keepLine(at: Instant): void {
    const { disconnectEveryMs, disconnectMsMax } = this.faults;
    if (disconnectEveryMs === null) return;
    for (let from = this.started ? this.downUntil : at; at >= this.downUntil || !this.started; ) {
      this.started = true;
      this.downFrom = from + Math.ceil(-Math.log(1 - this.chance.uniform()) * disconnectEveryMs);
      this.downUntil = this.downFrom + 1 + this.chance.below(disconnectMsMax);
      from = this.downUntil;
    }
  }

  /** Held commands reach the venue, and letters that are due are read. */
  private collect(at: Instant): VenueReport[] {
    const out: VenueReport[] = [];
    if (this.held.length > 0) {
      const due = this.held
        .filter((item) => item.dueAt <= at || this.calm(at))
        .sort((a, b) => a.dueAt - b.dueAt);
      if (due.length > 0) {
        this.held = this.held.filter((item) => !due.includes(item));
        for (const { command } of due) this.pass(this.venue.execute(command, at), at, out);
      }
    }
    if (this.letters.length === 0 || this.isDown(at)) return out;
    const due = this.letters
      .filter((letter) => letter.dueAt <= at || this.calm(at))
      .sort((a, b) => a.dueAt - b.dueAt);
    if (due.length === 0) return out;
    this.letters = this.letters.filter((letter) => !due.includes(letter));
    for (const { report } of due) out.push({ ...report, at });
    return out;
  }

  private pass(reports: readonly VenueReport[], at: Instant, out: VenueReport[]): void {
    for (const whole of reports) for (const report of this.parts(whole)) this.send(report, at, out);
  }

  private send(report: VenueReport, at: Instant, out: VenueReport[]): void {
    const { lostFill, lostReport, duplicate, delay, delayMsMax, lostWhileDown } = this.faults;
    const askable = isAskable(report);
    if (this.isDown(at)) {
      if (askable && this.strikes(lostWhileDown, at)) return;
      this.letters.push({ dueAt: this.downUntil, report });
      return;
    }
    if (askable && this.strikes(report.kind === 'order-filled' ? lostFill : lostReport, at)) return;
    if (this.strikes(delay, at)) this.letters.push({ dueAt: at + 1 + this.chance.below(delayMsMax), report });
    else out.push(report);
    if (this.strikes(duplicate, at)) {
      this.letters.push({ dueAt: at + this.chance.below(delayMsMax), report });
    }
  }

  /** Splits a fill by a draw of its own id, so that a query tells the same parts. */
  private parts(report: VenueReport): readonly VenueReport[] {
    const { split, splitParts, seed } = this.faults;
    if (report.kind !== 'order-filled' || split === 0 || report.fill.lots < 2) return [report];
    const draw = new Chance(`${seed}/split/${report.fill.fillId}`);
    if (!draw.happens(split)) return [report];
    return splitFill(report.fill, splitParts, draw).map((fill) => ({ ...report, fill }));
  }
}

/** Parts of a fill that add up to it in lots and fee, each with an id of its own. */
export function splitFill(fill: Fill, most: number, draw: Chance): Fill[] {
  const parts: Fill[] = [];
  let { lots, fee } = fill;
  for (let part = 1; lots > 0; part++) {
    const last = part >= most || lots === 1;
    const size = last ? lots : 1 + draw.below(lots - 1);
    const share = size === lots ? fee : Math.trunc(fee * (size / lots));
    parts.push({ ...fill, fillId: `${fill.fillId}.${part}`, lots: size, fee: share });
    lots -= size;
    fee -= share;
  }
  assert(lots === 0 && fee === 0, 'parts add up');
  return parts;
}

const finished = (out: VenueReport[]): readonly VenueReport[] => (out.length === 0 ? NO_REPORTS : out);

/** The venue that the options describe: hostile when they name faults. */
export function simulatedVenue(options: SimulatedVenueOptions): VenueFold {
  return options.faults ? new HostileVenue(options, options.faults) : new SimulatedVenue(options);
}
