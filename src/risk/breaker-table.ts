import { MINUTE, SECOND } from '#base';

/** In rising order. CLOSED is the healthy state. */
export const BREAKER_LEVELS = ['CLOSED', 'ALERT', 'THROTTLE', 'HALT', 'SHUTDOWN'] as const;
export type BreakerLevel = (typeof BREAKER_LEVELS)[number];

/** The strategy monitor's findings, as the breaker takes them. */
export type Severity = 'minor' | 'moderate' | 'severe' | 'critical';

/** What shuts down at once and for good. */
export type CriticalKind = 'corruption' | 'security' | 'kill-command';

/** A value at or above entry i raises to level i+1 (ALERT, THROTTLE, HALT, SHUTDOWN); null never does. */
export type Steps = readonly [
  alert: number | null,
  throttle: number | null,
  halt: number | null,
  shutdown: number | null,
];

export interface BreakerConfig {
  readonly latencyMs: Steps;
  /** The median of this many latest calls counts. */
  readonly latencyCalls: number;
  /** Order failures in a row. */
  readonly failures: Steps;
  /** Adverse slippage as a fraction of the expected price. */
  readonly slippage: Steps;
  readonly failureRate: {
    readonly share: number;
    readonly ordersMin: number;
    readonly windowMs: number;
    readonly level: BreakerLevel;
  };
  /** Loss from the highest equity of the window, as a fraction. */
  readonly loss: { readonly share: number; readonly windowMinutes: number; readonly level: BreakerLevel };
  readonly severity: Readonly<Record<Severity, BreakerLevel>>;
  readonly expectancyCollapse: BreakerLevel;
  /** Healthy time before one level down, ms: from ALERT, THROTTLE, HALT. SHUTDOWN has none. */
  readonly coolDownMs: readonly [alert: number, throttle: number, halt: number];
  /** While THROTTLE: confidence must be above this, sizes are multiplied. */
  readonly throttle: { readonly confidenceAbove: number; readonly sizeMultiplier: number };
}

/** The table of sigma.md 9. */
export const SIGMA_BREAKER: BreakerConfig = {
  latencyMs: [500, 1_000, 3_000, null],
  latencyCalls: 5,
  failures: [2, 3, 5, 10],
  slippage: [0.001, 0.003, 0.005, null],
  failureRate: { share: 0.3, ordersMin: 5, windowMs: 5 * MINUTE, level: 'THROTTLE' },
  loss: { share: 0.05, windowMinutes: 60, level: 'HALT' },
  severity: { minor: 'ALERT', moderate: 'THROTTLE', severe: 'HALT', critical: 'HALT' },
  expectancyCollapse: 'HALT',
  coolDownMs: [60 * SECOND, 300 * SECOND, 900 * SECOND],
  throttle: { confidenceAbove: 0.7, sizeMultiplier: 0.5 },
};

/** Index of the level that `value` raises to; 0 is none. Float noise just below a threshold counts as reaching it. */
export function stepReached(steps: Steps, value: number): number {
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!;
    if (step !== null && value >= step * (1 - 1e-12)) return i + 1;
  }
  return 0;
}
