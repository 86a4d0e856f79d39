import { FeatureFrame } from '#features';
import { type BarColumns, barAt } from '#market';
import {
  followDominance,
  MOMENTUM_REGIME,
  momentumState,
  momentumStrength,
  momentumT,
  newDominance,
  underDominance,
} from '#signals';
import type { ColdData } from './cold-data.ts';

/** The other markets that a trend is held against; null for the leader itself, and where nobody is asked. */
export interface ColdPeers {
  readonly leader: BarColumns;
  /** The market itself among them, as `own`. */
  readonly others: readonly (BarColumns | 'own')[];
}

/** A peer's bars, handed to its frame as time goes on. */
class Peer {
  readonly frame = new FeatureFrame([]);
  private readonly bars: BarColumns;
  private next = 0;

  constructor(bars: BarColumns) {
    this.bars = bars;
  }

  advanceTo(time: number): void {
    while (this.next < this.bars.length && this.bars.time[this.next]! <= time)
      push(this.frame, this.bars, this.next++);
  }
}

function push(frame: FeatureFrame, bars: BarColumns, i: number): void {
  const { time, open, high, low, close, volume } = barAt(bars, i);
  frame.push(time, open, high, low, close, volume);
}

/** The regime gate bar by bar, by the functions that the desk's own gate uses, on frames as the desk has them. */
export function regimeAlong(
  bars: BarColumns,
  peers: ColdPeers | null,
): Pick<ColdData, 'regime' | 'regimeStrength'> {
  const { bars: window, tMin } = MOMENTUM_REGIME;
  const own = new FeatureFrame([`logret_stats:${window}`]);
  const mean = own.column(`logret_stats_${window}_mean`);
  const deviation = own.column(`logret_stats_${window}_std`);
  const leader = peers === null ? null : new Peer(peers.leader);
  const others = (peers?.others ?? []).map((one) => (one === 'own' ? null : new Peer(one)));
  const frames = others.map((peer) => (peer === null ? own : peer.frame));
  const memory = newDominance();
  const regime = new Int8Array(bars.length);
  const regimeStrength = new Float64Array(bars.length);
  for (let i = 0; i < bars.length; i++) {
    push(own, bars, i);
    const time = bars.time[i]!;
    leader?.advanceTo(time);
    for (const peer of others) peer?.advanceTo(time);
    const t = momentumT(own.latest[mean]!, own.latest[deviation]!, window);
    if (!Number.isFinite(t)) continue;
    const byTrend = momentumState(t, tMin);
    const state =
      leader === null
        ? byTrend
        : underDominance(byTrend, followDominance(memory, own, leader.frame, frames, MOMENTUM_REGIME));
    regime[i] = state === 'flat' ? 0 : state === 'bull' ? 1 : -1;
    regimeStrength[i] = momentumStrength(t);
  }
  return { regime, regimeStrength };
}
