import { broken, canonicalJson, type Instant } from '#base';
import type { Objection } from '#ensemble';
import { DeskKillSwitch, GroupKillSwitch, type KillCause, type KillSwitch } from '#risk';
import type { Signal, View } from '#signals';
import type { KillSwitchPart } from './desk.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';

/** A desk with a kill switch of its own, and that of its group. */
interface Watched {
  readonly desk: DeskRuntime;
  readonly part: KillSwitchPart;
  readonly own: DeskKillSwitch;
  readonly group: GroupKillSwitch | null;
}

/** One switch as people see it. */
export interface KillSwitchState {
  readonly name: string;
  readonly kind: 'desk' | 'group';
  /** Desks that it stops. */
  readonly desks: readonly string[];
  readonly cause: KillCause | null;
  readonly resetAt: Instant | null;
}

/**
 * The kill switches of a portfolio's desks and of groups of them: measured here, kept in risk/. A tripped switch cancels
 * entries, lets none leave, and closes what is held where its desk says so; positions may always be closed. Only a
 * person resets it.
 */
export class KillWatch {
  static readonly configuration = ['engine', 'watched', 'byDesk', 'muted'];
  /** While facts of another version are folded it trips without anything being done about it. */
  muted = false;
  private readonly engine: Engine;
  private readonly watched: readonly Watched[];
  private readonly byDesk = new Map<string, Watched>();
  private readonly switches = new Map<string, DeskKillSwitch>();
  private readonly groups = new Map<string, GroupKillSwitch>();
  /** Net of closed trades by desk, minor units of the base currency. */
  private readonly made: Float64Array;
  /** Feeds are measured from here: a program that was not running has missed bars that no feed owes it. */
  private since: Instant = -Infinity;

  constructor(engine: Engine) {
    this.engine = engine;
    const watched: Watched[] = [];
    for (const desk of engine.desks) {
      const part = desk.parts.killSwitch;
      if (part === undefined) continue;
      const own = new DeskKillSwitch(desk.name, part.rules);
      this.switches.set(desk.name, own);
      const one = { desk, part, own, group: this.groupOf(part) };
      watched.push(one);
      this.byDesk.set(desk.name, one);
    }
    for (const name of this.groups.keys())
      if (engine.desks.some((desk) => desk.name === name))
        broken(`a desk and a kill switch are called ${name}`);
    this.watched = watched;
    this.made = new Float64Array(watched.length);
  }

  private groupOf({ group }: KillSwitchPart): GroupKillSwitch | null {
    if (group === null) return null;
    const { name, ...rules } = group;
    const known = this.groups.get(name);
    if (known === undefined) {
      const made = new GroupKillSwitch(name, rules);
      this.groups.set(name, made);
      return made;
    }
    if (canonicalJson(known.rules) !== canonicalJson(rules))
      broken(`desks of kill switch ${name} state other rules`);
    return known;
  }

  /** Whether there is any. */
  get any(): boolean {
    return this.watched.length > 0;
  }

  /** All of them, groups first. */
  get states(): readonly KillSwitchState[] {
    const of = (one: KillSwitch, kind: 'desk' | 'group', desks: readonly string[]): KillSwitchState => ({
      name: one.name,
      kind,
      desks,
      cause: one.cause,
      resetAt: one.resetAt,
    });
    const membersOf = (group: GroupKillSwitch) =>
      this.watched.filter((one) => one.group === group).map(({ desk }) => desk.name);
    return [
      ...[...this.groups.values()].map((group) => of(group, 'group', membersOf(group))),
      ...this.watched.map(({ own, desk }) => of(own, 'desk', [desk.name])),
    ];
  }

  /** Whether a desk or a group of this name has a switch. */
  has(name: string): boolean {
    return this.switches.has(name) || this.groups.has(name);
  }

  isTripped(name: string): boolean {
    return (this.switches.get(name) ?? this.groups.get(name))?.cause != null;
  }

  /** Why no entry of a desk may leave, or null. */
  objection(desk: string): Objection | null {
    const one = this.byDesk.get(desk);
    if (one === undefined) return null;
    const { own, group } = one;
    const tripped = own.cause !== null ? own : group !== null && group.cause !== null ? group : null;
    if (tripped === null) return null;
    const { text, measured, needed } = tripped.cause!;
    return {
      by: 'kill-switch',
      reason: `kill switch ${tripped.name}: ${text}; a person must reset it`,
      ...(measured === null ? {} : { measured }),
      ...(needed === null ? {} : { needed }),
    };
  }

  /** The run begins, or begins again. */
  began(at: Instant): void {
    this.since = at;
  }

  /** What a desk's sources have said of an instrument trips its switch when the desk's own watch names a cause. */
  heard({ name, parts }: DeskRuntime, signals: readonly Signal[], view: View): void {
    const fault = parts.killSwitch?.watch?.(signals, view) ?? null;
    if (fault === null) return;
    const { text, measured = null, needed = null } = fault;
    this.trip(this.byDesk.get(name)!.own, { trigger: 'watch', at: view.at, text, measured, needed });
  }

  /** A real trade of a desk has closed. */
  closed(desk: string, net: number, at: Instant): void {
    const i = this.watched.findIndex((one) => one.desk.name === desk);
    if (i < 0) return;
    this.made[i]! += net;
    const { own } = this.watched[i]!;
    this.tripIf(own, own.closed(net, at));
  }

  /** What the desk has made, open positions included, minor units of the base currency. */
  private madeBy(i: number): number {
    const { ledger } = this.engine.real;
    let made = this.made[i]!;
    for (const { book, traded } of this.watched[i]!.desk.instruments)
      if (traded) made += ledger.resultOf(book);
    return made;
  }

  /** Measures every desk. `equityAtDayStart` in minor units. */
  look(at: Instant, equityAtDayStart: number): void {
    if (this.watched.length === 0) return;
    const { cash } = this.engine.definition;
    const sums = new Map<GroupKillSwitch, number>();
    for (let i = 0; i < this.watched.length; i++) {
      const { own, group } = this.watched[i]!;
      const made = this.madeBy(i);
      this.tripIf(own, own.look(made, equityAtDayStart, cash, at));
      if (group !== null) sums.set(group, (sums.get(group) ?? 0) + made);
    }
    const state = this.engine.breaker?.state;
    const halted = state === 'HALT' || state === 'SHUTDOWN';
    for (const [group, made] of sums) {
      this.tripIf(group, group.look(made, equityAtDayStart, at));
      if (halted && group.rules.withBreaker)
        this.trip(group, { trigger: 'breaker', at, text: `breaker ${state}`, measured: null, needed: null });
      this.tripIf(group, group.feeds(this.staleOf(group, at), at));
    }
  }

  /** Desks of a group whose newest bar has ended too long ago. */
  private staleOf(group: GroupKillSwitch, at: Instant): string[] {
    const stale: string[] = [];
    for (const { desk, group: its } of this.watched)
      if (its === group && at > this.staleFrom(desk, group)) stale.push(desk.name);
    return stale;
  }

  /** The last instant at which a desk's feed is not old; Infinity before its first bar. */
  private staleFrom(desk: DeskRuntime, { rules }: GroupKillSwitch): Instant {
    const { intervalMs } = desk.instruments[0]!;
    let newest = -1;
    for (const { traded, lastClose } of desk.instruments) if (traded) newest = Math.max(newest, lastClose);
    return newest < 0 ? Infinity : Math.max(newest, this.since) + rules.staleBars * intervalMs;
  }

  /** When enough feeds of a group would have become old, if nothing comes. */
  nextDue(): Instant {
    let due = Infinity;
    for (const group of this.groups.values()) {
      const { staleDesks } = group.rules;
      if (staleDesks === null || group.cause !== null) continue;
      const ends: number[] = [];
      for (const { desk, group: its } of this.watched)
        if (its === group) ends.push(this.staleFrom(desk, group));
      if (ends.length < staleDesks) continue;
      ends.sort((a, b) => a - b);
      due = Math.min(due, ends[staleDesks - 1]! + 1);
    }
    return due;
  }

  /** A person trips a switch. */
  byHand(name: string, text: string, at: Instant): void {
    const one = this.switches.get(name) ?? this.groups.get(name)!;
    this.trip(one, { trigger: 'manual', at, text, measured: null, needed: null });
  }

  /** A person resets a switch. */
  reset(name: string, at: Instant): void {
    const own = this.watched.findIndex((one) => one.desk.name === name);
    if (own >= 0) return this.watched[own]!.own.reset(this.madeBy(own), at);
    const group = this.groups.get(name)!;
    let made = 0;
    for (let i = 0; i < this.watched.length; i++)
      if (this.watched[i]!.group === group) made += this.madeBy(i);
    group.reset(made, at);
  }

  private tripIf(one: KillSwitch, cause: KillCause | null): void {
    if (cause !== null) this.trip(one, cause);
  }

  private trip(one: KillSwitch, cause: KillCause): void {
    if (!one.trip(cause) || this.muted) return;
    const { engine } = this;
    const { text, measured, needed, trigger, at } = cause;
    const figures =
      measured === null ? '' : ` (${figure(measured)}${needed === null ? '' : `, limit ${figure(needed)}`})`;
    const words = `kill switch ${one.name} tripped: ${text}${figures}`;
    const desk = one instanceof DeskKillSwitch ? one.name : null;
    engine.happened('breaker', desk, null, words, { killSwitch: one.name, trigger });
    engine.emit({ kind: 'raise-alert', severity: 'critical', key: `kill-switch-${one.name}`, text: words });
    for (const { desk: stopped, own, group, part } of this.watched)
      if (own === one || group === one) this.clear(stopped, part.flatten, at);
  }

  /** Cancels a desk's entries; closes its positions too where it says so. */
  private clear(desk: DeskRuntime, flatten: boolean, at: Instant): void {
    const { real } = this.engine;
    for (const instrument of desk.instruments) {
      if (!instrument.traded) continue;
      instrument.at = at;
      const leaving = flatten ? { reason: 'exit:kill-switch', manual: false } : null;
      real.cancelEntries(instrument.book, 'kill-switch', at, leaving);
      if (!flatten) continue;
      desk.close(real, instrument, 'exit:kill-switch');
      // a fill that crosses a cancellation: asked again until nothing is left
      if (real.held.has(instrument.book) || real.hasWorkingEntry(instrument.book))
        real.leave(instrument.book, 'exit:kill-switch', false);
    }
  }
}

const figure = (value: number): string => String(Math.round(value * 1e6) / 1e6);
