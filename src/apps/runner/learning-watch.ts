import type { Instant } from '#base';
import type { DeskRuntime, Engine, InstrumentRuntime } from '#engine';
import { type Decision, directionOf } from '#ensemble';
import { Scorecards } from '#learning';
import type { InstrumentId } from '#market';
import type { Signal } from '#signals';
import type { GateAnswer, ReliabilityBin, SourceAnswer } from './control-answers.ts';

const BINS = 10;
/** What passed all gates is followed beside what each of them stopped. */
const PASSED = 'passed';
/** Ideas whose sources state no horizon are looked at after so many bars. */
const BARS_AHEAD = 12;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/**
 * Scores everything a desk's sources say, the overruled included, and what its gates were worth. It only watches: weights
 * do not depend on it. Kept in the snapshots beside the engine; folding the journal makes it again.
 */
export class DeskLearning {
  static readonly configuration = ['desk', 'prices', 'settled'];
  private readonly desk: DeskRuntime;
  private readonly cards = new Scorecards();
  /** Ideas by who stopped them, as if each source were a gate. */
  private readonly ideas = new Scorecards({ pendingMax: 4_096 });
  private readonly kinds = new Map<string, 'score' | 'forecast'>();
  /** Per source {@link BINS} times number, sum of what was stated, number that happened. */
  private readonly bins = new Map<string, number[]>();
  private readonly objected = new Map<string, number>();
  private considered = 0;
  private passed = 0;
  private readonly prices: (instrument: InstrumentId) => number;
  private readonly settled: (source: string, stated: number, happened: 0 | 1) => void;

  constructor(desk: DeskRuntime) {
    this.desk = desk;
    const byId = new Map(desk.instruments.map((one) => [one.instrument.id, one]));
    this.prices = (id) => byId.get(id)?.close ?? Number.NaN;
    this.settled = (source, stated, happened) => this.bin(source, stated, happened);
  }

  decided(instrument: InstrumentRuntime, { wanted, signals, objections }: Decision): void {
    const { id } = instrument.instrument;
    const { at, close } = instrument;
    let horizonMs = 0;
    for (const signal of signals) {
      if (signal.kind === 'proposal') continue;
      this.kinds.set(signal.source, signal.kind);
      this.cards.observe(signal, id, at, close);
      if (Number.isFinite(signal.horizonMs)) horizonMs = Math.max(horizonMs, signal.horizonMs);
    }
    const direction = wanted === null ? 0 : directionOf(wanted);
    if (direction === 0) return;
    this.considered += 1;
    if (horizonMs === 0) horizonMs = BARS_AHEAD * instrument.intervalMs;
    const idea = (source: string): Signal => ({ kind: 'score', source, value: direction, horizonMs });
    if (objections.length === 0) {
      this.passed += 1;
      this.ideas.observe(idea(PASSED), id, at, close);
    }
    for (const by of new Set(objections.map((objection) => objection.by))) {
      this.objected.set(by, (this.objected.get(by) ?? 0) + 1);
      this.ideas.observe(idea(`by ${by}`), id, at, close);
    }
  }

  settle(at: Instant): void {
    this.cards.settle(at, this.prices, this.settled);
    this.ideas.settle(at, this.prices);
  }

  private bin(source: string, stated: number, happened: 0 | 1): void {
    const probability = this.kinds.get(source) === 'forecast' ? stated : (stated + 1) / 2;
    const place = Math.min(BINS - 1, Math.max(0, Math.floor(probability * BINS)));
    let rows = this.bins.get(source);
    if (rows === undefined) {
      rows = new Array<number>(3 * BINS).fill(0);
      this.bins.set(source, rows);
    }
    rows[3 * place]! += 1;
    rows[3 * place + 1]! += stated;
    rows[3 * place + 2]! += happened;
  }

  get name(): string {
    return this.desk.name;
  }

  /** Entries considered and entries that no gate or rule objected to. */
  get ideaCounts(): { readonly considered: number; readonly passed: number } {
    return { considered: this.considered, passed: this.passed };
  }

  /** Every source of the desk, those that have not spoken as well. */
  sources(): SourceAnswer[] {
    const { parts } = this.desk;
    const names = [...new Set([...parts.sources.map((s) => s.name), ...this.kinds.keys()])].sort();
    return names.map((source) => {
      const card = this.cards.card(source);
      const { weights = {} } = parts;
      return {
        source,
        emits: this.kinds.get(source) ?? parts.sources.find((s) => s.name === source)?.emits ?? null,
        n: card?.n ?? 0,
        hits: card?.hits ?? 0,
        hitRate: finite(card?.hitRate ?? Number.NaN),
        recentHitRate: finite((card?.recentHits ?? 0) / (card?.recentN ?? 0)),
        recentN: card?.recentN ?? 0,
        neutral: card?.neutral ?? 0,
        forecasts: card?.forecasts ?? 0,
        brier: finite(card?.brier ?? Number.NaN),
        logLoss: finite(card?.logLoss ?? Number.NaN),
        meanReturn: finite(card?.meanReturn ?? Number.NaN),
        returnPerScore: finite(card?.returnPerScore ?? Number.NaN),
        unscored: card?.unscored ?? 0,
        weight: weights[source] ?? 1,
        weightHistory: [],
        reliability: this.reliability(source),
      };
    });
  }

  private reliability(source: string): ReliabilityBin[] {
    const rows = this.bins.get(source);
    if (rows === undefined) return [];
    const score = this.kinds.get(source) !== 'forecast';
    const edge = (i: number) => (score ? (2 * i) / BINS - 1 : i / BINS);
    const out: ReliabilityBin[] = [];
    for (let i = 0; i < BINS; i++) {
      const n = rows[3 * i]!;
      if (n === 0) continue;
      out.push({
        from: edge(i),
        to: edge(i + 1),
        n,
        stated: rows[3 * i + 1]! / n,
        happened: rows[3 * i + 2]! / n,
      });
    }
    return out;
  }

  gates(): GateAnswer[] {
    const stated = new Map((this.desk.parts.gates ?? []).map((gate) => [gate.name, gate.veto]));
    const names = [...new Set([...stated.keys(), ...this.objected.keys()])];
    return names.map((gate) => {
      const card = this.ideas.card(`by ${gate}`);
      return {
        gate,
        kind: stated.get(gate) === undefined ? 'rule' : stated.get(gate) === true ? 'veto' : 'gate',
        considered: this.considered,
        objected: this.objected.get(gate) ?? 0,
        wouldHave: {
          n: card?.n ?? 0,
          hitRate: finite(card?.hitRate ?? Number.NaN),
          meanReturn: finite(card?.meanReturn ?? Number.NaN),
        },
      };
    });
  }

  /** What became of the entries that passed every gate, by the same measure as those that were stopped. */
  passedIdeas(): GateAnswer['wouldHave'] {
    const card = this.ideas.card(PASSED);
    return {
      n: card?.n ?? 0,
      hitRate: finite(card?.hitRate ?? Number.NaN),
      meanReturn: finite(card?.meanReturn ?? Number.NaN),
    };
  }
}

/** {@link DeskLearning} of every desk of an engine. */
export class LearningWatch {
  static readonly configuration = ['byDesk'];
  readonly desks: readonly DeskLearning[];
  private readonly byDesk: ReadonlyMap<string, DeskLearning>;
  private at: Instant = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine) {
    this.desks = engine.desks.map((desk) => new DeskLearning(desk));
    this.byDesk = new Map(this.desks.map((one) => [one.name, one]));
  }

  /** A bar of this instant is about to be told. What was due before is settled at the prices before it. */
  barAt(at: Instant): void {
    if (!(at > this.at)) return;
    for (const desk of this.desks) desk.settle(this.at);
    this.at = at;
  }

  decided(desk: DeskRuntime, instrument: InstrumentRuntime, decision: Decision): void {
    this.byDesk.get(desk.name)?.decided(instrument, decision);
  }
}
