import type { Exit } from '../exit.ts';
import { stopLossExit, type TrailingConfig, takeProfitExit, trailingExit } from './price-exits.ts';
import {
  type RebalanceConfig,
  type RegimeTurns,
  rebalanceExit,
  regimeChangeExit,
  type ThesisConfig,
  type TimeExitConfig,
  thesisExit,
  timeExit,
} from './state-exits.ts';

export interface SigmaExitsConfig {
  readonly trailing: Partial<TrailingConfig>;
  readonly time: Partial<TimeExitConfig>;
  readonly turns: RegimeTurns;
  readonly rebalance: Partial<RebalanceConfig>;
  readonly thesis: Partial<ThesisConfig>;
}

/** The seven exits of sigma.md 10 in their order. */
export function sigmaExits(changes: Partial<SigmaExitsConfig> = {}): readonly Exit[] {
  return [
    stopLossExit(),
    takeProfitExit(),
    trailingExit(changes.trailing),
    timeExit(changes.time),
    regimeChangeExit(changes.turns),
    rebalanceExit(changes.rebalance),
    thesisExit(changes.thesis),
  ];
}
