/** Columns of one line over time, of equal length and in order of time. */
export interface EquityLine {
  readonly time: readonly number[];
  readonly equity: readonly number[];
  /** Distance below the highest equity so far, as a fraction of it. */
  readonly drawdown: readonly number[];
}

/** The line with its drawdown; `peak` is the highest equity before its first point. */
export function withDrawdown(
  time: readonly number[],
  equity: readonly number[],
  peak: number | null = null,
): EquityLine {
  let highest = peak ?? Number.NEGATIVE_INFINITY;
  const drawdown = equity.map((value) => {
    if (value > highest) highest = value;
    return highest > 0 ? (highest - value) / highest : 0;
  });
  return { time, equity, drawdown };
}

/**
 * At most `points` points of a line, oldest first: its ends, and of every stretch the lowest, the highest and the deepest below
 * its peak, so that no peak, trough or drawdown is lost. Too few points for that keep those of the whole line.
 */
export function thinned(line: EquityLine, points: number): EquityLine {
  const { length } = line.time;
  if (length <= points) return line;
  const ends = [length - 1, 0];
  const kept = new Set<number>();
  const stretches = Math.floor((points - ends.length) / 3);
  if (stretches < 1) {
    for (const i of [...extremes(line, 0, length), ...ends]) if (kept.size < points) kept.add(i);
  } else {
    for (const i of ends) kept.add(i);
    for (let k = 0; k < stretches; k++) {
      const from = Math.floor((k * length) / stretches);
      const to = Math.floor(((k + 1) * length) / stretches);
      for (const i of extremes(line, from, to)) kept.add(i);
    }
  }
  const order = [...kept].sort((a, b) => a - b);
  const pick = (column: readonly number[]) => order.map((i) => column[i]!);
  return { time: pick(line.time), equity: pick(line.equity), drawdown: pick(line.drawdown) };
}

/** Rows of the lowest and highest equity and of the deepest drawdown in [from, to). */
function extremes({ equity, drawdown }: EquityLine, from: number, to: number): readonly number[] {
  let low = from;
  let high = from;
  let deep = from;
  for (let i = from + 1; i < to; i++) {
    if (equity[i]! < equity[low]!) low = i;
    if (equity[i]! > equity[high]!) high = i;
    if (drawdown[i]! > drawdown[deep]!) deep = i;
  }
  return [low, high, deep];
}
