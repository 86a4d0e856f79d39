import type { Instant } from '#base';
import type { InstrumentId } from '#market';

/** A closed trade as a study keeps it. Money in minor units of the account. */
export interface PlayedTrade {
  readonly instrument: InstrumentId;
  readonly direction: 1 | -1;
  readonly openedAt: Instant;
  readonly closedAt: Instant;
  readonly lots: number;
  readonly net: number;
  readonly exitReason: string;
}

/** A trade that both runs entered. */
export interface TradePair {
  readonly with: PlayedTrade;
  readonly without: PlayedTrade;
}

export interface MatchedTrades {
  /** Only with the part: it caused them. */
  readonly caused: readonly PlayedTrade[];
  /** Only without the part: it prevented them. */
  readonly prevented: readonly PlayedTrade[];
  /** Entered in both and left otherwise: at another time or for another reason. */
  readonly changed: readonly TradePair[];
  /** Entered and left alike, of another size. */
  readonly resized: readonly TradePair[];
  /** Alike in all of it. */
  readonly same: number;
}

const keyOf = ({ instrument, direction, openedAt }: PlayedTrade): string =>
  `${instrument}|${direction}|${openedAt}`;

/**
 * Matches the trades of two runs on the same events by instrument, direction and time of entry. Where several have one
 * key (two books), the first closed meets the first closed.
 */
export function matchTrades(
  withPart: readonly PlayedTrade[],
  withoutPart: readonly PlayedTrade[],
): MatchedTrades {
  const waiting = new Map<string, PlayedTrade[]>();
  for (const trade of withoutPart) {
    const key = keyOf(trade);
    const known = waiting.get(key);
    if (known === undefined) waiting.set(key, [trade]);
    else known.push(trade);
  }
  const caused: PlayedTrade[] = [];
  const changed: TradePair[] = [];
  const resized: TradePair[] = [];
  const met = new Set<PlayedTrade>();
  let same = 0;
  for (const trade of withPart) {
    const other = waiting.get(keyOf(trade))?.shift();
    if (other === undefined) {
      caused.push(trade);
      continue;
    }
    met.add(other);
    const pair = { with: trade, without: other };
    if (trade.closedAt !== other.closedAt || trade.exitReason !== other.exitReason) changed.push(pair);
    else if (trade.lots !== other.lots) resized.push(pair);
    else same += 1;
  }
  return { caused, prevented: withoutPart.filter((trade) => !met.has(trade)), changed, resized, same };
}
