import { assert, DAY, type Instant } from '#base';
import type { Severity } from '#risk';
import { NumberRing } from './ring.ts';
import { deviation, expectancyOf, mean, ratio } from './trade-statistics.ts';

/** minor, moderate, severe, critical; null has no such step. */
type FourSteps = readonly [number | null, number | null, number | null, number | null];

export interface MonitorConfig {
  /** Closed trades looked at. */
  readonly window: number;
  readonly tradesMin: number;
  /** Below these. */
  readonly winRate: FourSteps;
  /** Below these: daily Sharpe ratio times sqrt(daysPerYear). */
  readonly sharpe: FourSteps;
  readonly daysPerYear: number;
  /** At least these, at the end of the window; no minimum of trades. */
  readonly consecutiveLosses: FourSteps;
  /** Minor when expectancy fell to this share or less of the window before. */
  readonly expectancyKept: number;
  /** Critical when expectancy is negative and its t statistic is below this. */
  readonly tCritical: number;
  readonly multipliers: Readonly<Record<Severity, number>>;
}

/** sigma.md 11. */
export const SIGMA_MONITOR: MonitorConfig = {
  window: 100,
  tradesMin: 30,
  winRate: [0.5, 0.45, 0.4, 0.35],
  sharpe: [1, 0.5, 0.25, 0],
  daysPerYear: 365,
  consecutiveLosses: [4, 6, 8, 10],
  expectancyKept: 0.5,
  tCritical: -1.645,
  multipliers: { minor: 1, moderate: 0.5, severe: 0, critical: 0 },
};

const SEVERITIES: readonly Severity[] = ['minor', 'moderate', 'severe', 'critical'];
const ACTIONS = {
  none: 'none',
  minor: 'monitor',
  moderate: 'size x0.5',
  severe: 'halt entries',
  critical: 'emergency halt, close all',
} as const;

export type MonitorRow = 'win-rate' | 'sharpe' | 'consecutive-losses' | 'expectancy';

export interface MonitorFinding {
  readonly row: MonitorRow;
  readonly severity: Severity;
  readonly measured: number;
}

export interface MonitorReport {
  /** The worst row's. */
  readonly severity: Severity | null;
  readonly action: (typeof ACTIONS)[keyof typeof ACTIONS];
  /** For new sizes: 1, 0.5 or 0. */
  readonly multiplier: number;
  readonly findings: readonly MonitorFinding[];
  readonly n: number;
}

const HEALTHY: MonitorReport = { severity: null, action: 'none', multiplier: 1, findings: [], n: 0 };

/**
 * Watches a desk's closed trades (sigma.md 11). A closed trade costs one pass over the window; reading the report
 * costs nothing.
 */
export class StrategyMonitor {
  static readonly configuration = ['config'];
  private readonly config: MonitorConfig;
  private readonly nets: NumberRing;
  private readonly returns: NumberRing;
  private readonly days: NumberRing;
  private report: MonitorReport = HEALTHY;

  constructor(config: Partial<MonitorConfig> = {}) {
    this.config = { ...SIGMA_MONITOR, ...config };
    this.nets = new NumberRing(2 * this.config.window);
    this.returns = new NumberRing(this.config.window);
    this.days = new NumberRing(this.config.window);
  }

  /** A trade closed: its net result and the equity before it, in one currency. Returns the new report. */
  closed(trade: {
    readonly closedAt: Instant;
    readonly net: number;
    readonly equity: number;
  }): MonitorReport {
    const { closedAt, net, equity } = trade;
    assert(Number.isFinite(net) && equity > 0, 'a closed trade needs a finite result and a positive equity');
    this.nets.push(net);
    this.returns.push(net / equity);
    this.days.push(Math.floor(closedAt / DAY));
    this.report = this.examine();
    return this.report;
  }

  get current(): MonitorReport {
    return this.report;
  }

  /** Entries begin again after a pause: what went before is not held against the desk twice. */
  restart(): void {
    this.nets.clear();
    this.returns.clear();
    this.days.clear();
    this.report = HEALTHY;
  }

  private examine(): MonitorReport {
    const { config } = this;
    const nets = this.nets.last(config.window);
    const findings: MonitorFinding[] = [];
    const find = (row: MonitorRow, rank: number, measured: number) => {
      if (rank > 0) findings.push({ row, severity: SEVERITIES[rank - 1]!, measured });
    };
    if (nets.length >= config.tradesMin) {
      const { winRate } = expectancyOf(nets);
      find('win-rate', rankBelow(config.winRate, winRate), winRate);
      const sharpe = this.dailySharpe() * Math.sqrt(config.daysPerYear);
      find('sharpe', Number.isNaN(sharpe) ? 0 : rankBelow(config.sharpe, sharpe), sharpe);
      const { rank, measured } = this.expectancyRow(nets);
      find('expectancy', rank, measured);
    }
    let losses = 0;
    while (losses < nets.length && nets[nets.length - 1 - losses]! <= 0) losses++;
    find('consecutive-losses', rankFrom(config.consecutiveLosses, losses), losses);
    const worst = Math.max(0, ...findings.map((f) => SEVERITIES.indexOf(f.severity) + 1));
    const severity = worst === 0 ? null : SEVERITIES[worst - 1]!;
    const multiplier = severity === null ? 1 : config.multipliers[severity];
    return { severity, action: ACTIONS[severity ?? 'none'], multiplier, findings, n: nets.length };
  }

  private expectancyRow(nets: Float64Array): { rank: number; measured: number } {
    const { window, tradesMin, expectancyKept, tCritical } = this.config;
    const measured = expectancyOf(nets).expectancy;
    if (measured < 0) {
      const t = ratio(mean(nets), deviation(nets) / Math.sqrt(nets.length));
      return { rank: t < tCritical ? 4 : 3, measured };
    }
    const before = this.nets.last(window, window);
    if (before.length < tradesMin) return { rank: 0, measured };
    const kept = expectancyOf(before).expectancy;
    return { rank: kept > 0 && measured <= expectancyKept * kept ? 1 : 0, measured };
  }

  /**
   * Sharpe ratio of daily returns between the first and the last closing day of the window, days without a closed
   * trade counting as 0; sample deviation. NaN for a single day.
   */
  private dailySharpe(): number {
    const n = this.returns.length;
    const days = this.days.fromEnd(0) - this.days.fromEnd(n - 1) + 1;
    if (days < 2) return Number.NaN;
    const byDay: number[] = [];
    let day = Number.NaN;
    for (let back = n - 1; back >= 0; back--) {
      const same = this.days.fromEnd(back) === day;
      if (same) byDay[byDay.length - 1]! += this.returns.fromEnd(back);
      else byDay.push(this.returns.fromEnd(back));
      day = this.days.fromEnd(back);
    }
    const average = byDay.reduce((sum, r) => sum + r, 0) / days;
    const idle = days - byDay.length;
    const squares = byDay.reduce((sum, r) => sum + (r - average) ** 2, idle * average ** 2);
    return ratio(average, Math.sqrt(squares / (days - 1)));
  }
}

/** Highest step whose number `value` lies below; 0 is none. */
function rankBelow(steps: FourSteps, value: number): number {
  for (let i = 3; i >= 0; i--) if (steps[i] !== null && value < steps[i]!) return i + 1;
  return 0;
}

/** Highest step whose number `value` reaches; 0 is none. */
function rankFrom(steps: FourSteps, value: number): number {
  for (let i = 3; i >= 0; i--) if (steps[i] !== null && value >= steps[i]!) return i + 1;
  return 0;
}
