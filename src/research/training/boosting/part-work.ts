import { unreachable } from '#base';
import { ColumnBinner, weaveRows } from './bin-rows.ts';
import type { BoostingHand } from './boosting-hand.ts';
import type { BoostingData } from './boosting-options.ts';
import { SLICE_ROWS } from './boosting-plan.ts';
import {
  CONTROL,
  CONTROL_DOUBLE,
  NODE,
  NODE_DOUBLE,
  NODE_DOUBLES,
  NODE_WORDS,
  WAITING,
  WAITING_DOUBLE,
  WAITING_DOUBLES,
  WAITING_WORDS,
  WORK,
} from './control-words.ts';
import { BIN_BYTES } from './row-kernels.ts';
import { TreeGrower } from './tree-grower.ts';

export type Work = Exclude<(typeof WORK)[keyof typeof WORK], 0>;

/** Parts of so many rows that threads share. */
export const slicesOf = (rows: number): number => Math.ceil(rows / SLICE_ROWS);

/** What one thread does of the work that is shared: any part of any kind, in whatever order. */
export class PartWork {
  readonly hand: BoostingHand;
  readonly grower: TreeGrower;
  private readonly data: BoostingData;
  private binner: ColumnBinner | null = null;

  constructor(hand: BoostingHand, data: BoostingData) {
    this.hand = hand;
    this.data = data;
    this.grower = new TreeGrower(hand);
  }

  perform(work: Work, part: number): void {
    switch (work) {
      case WORK.bin:
        this.binner ??= new ColumnBinner(this.hand, this.data, this.data.validation ?? null);
        return this.binner.bin(part);
      case WORK.weave:
        return this.weave(part);
      case WORK.derive:
        return this.derive(part);
      case WORK.count:
        return this.count(part);
      case WORK.part:
        return this.part(part);
      case WORK.grow:
        return this.grow(part);
      case WORK.walk:
        return this.walk(part);
      default:
        return unreachable(work);
    }
  }

  /** Address of the histogram that this thread adds shared rows to. */
  static ownHistogram({ plan }: BoostingHand, thread: number): number {
    return plan.at.waiting + (plan.waitingRoom + thread) * plan.histogramBytes;
  }

  private control(word: number): number {
    return this.hand.words[(this.hand.plan.at.control >>> 2) + word]!;
  }

  private tell(place: number, value: number): void {
    this.hand.words[(this.hand.plan.at.control >>> 2) + CONTROL.told + place] = value;
  }

  private weave(part: number): void {
    const { rows } = this.hand.plan.shape;
    weaveRows(this.hand, part * SLICE_ROWS, Math.min(rows, (part + 1) * SLICE_ROWS));
  }

  private derive(part: number): void {
    const { plan, kernels, doubles, thread } = this.hand;
    const { at, shape, settings, outputApart } = plan;
    const from = part * SLICE_ROWS;
    const to = Math.min(shape.rows, from + SLICE_ROWS);
    const units = at.doubles >>> 3;
    const scratch = at.blocks + (thread + 1) * plan.blockBytes - settings.outputs * BIN_BYTES;
    kernels.derive(
      ...([at.margins + 8 * from, at.margins + 8 * to, at.labels + 4 * from, at.weights + 4 * from] as const),
      at.pairs + 8 * from,
      ...([doubles[units + CONTROL_DOUBLE.perFirst]!, doubles[units + CONTROL_DOUBLE.perSecond]!] as const),
      ...([scratch, outputApart, settings.outputs] as const),
    );
  }

  private count(part: number): void {
    const { hand, grower } = this;
    const turn = this.control(CONTROL.turn);
    const own = PartWork.ownHistogram(hand, hand.thread);
    if (this.control(CONTROL.told + hand.thread) !== turn) {
      hand.kernels.clear(own, hand.plan.histogramBytes);
      this.tell(hand.thread, turn);
    }
    grower.begin();
    const from = this.control(CONTROL.from) + part * SLICE_ROWS;
    grower.count(from, Math.min(this.control(CONTROL.to), from + SLICE_ROWS), own);
  }

  /** Parts of a parting are as many as threads: each sorts its stretch of the rows where it lies. */
  private part(part: number): void {
    const { plan, kernels } = this.hand;
    const { at } = plan;
    const [begin, end, parts] = [CONTROL.from, CONTROL.to, CONTROL.parts].map((word) => this.control(word));
    const place = (k: number) => begin! + Math.floor(((end! - begin!) * k) / parts!);
    const from = place(part);
    const half = kernels.part(
      ...([at.rows + 4 * from, at.rows + 4 * place(part + 1)] as const),
      this.grower.columnAt(this.control(CONTROL.column)),
      ...([this.control(CONTROL.bin), this.control(CONTROL.missing)] as const),
      ...([at.rows + 4 * from, at.buffer + 4 * from] as const),
    );
    this.tell(part, ((half >>> 0) - at.rows) / 4);
  }

  private grow(part: number): void {
    const { words, doubles, plan, thread } = this.hand;
    const { at, histogramBytes, depthRoom } = plan;
    const word = (at.waitingWords >>> 2) + part * WAITING_WORDS;
    const double = (at.waitingDoubles >>> 3) + part * WAITING_DOUBLES;
    this.grower.begin();
    this.grower.grow(
      {
        node: words[word + WAITING.node]!,
        from: words[word + WAITING.from]!,
        to: words[word + WAITING.to]!,
        depth: words[word + WAITING.depth]!,
        path: words[word + WAITING.path]!,
        first: doubles[double + WAITING_DOUBLE.first]!,
        second: doubles[double + WAITING_DOUBLE.second]!,
        lower: doubles[double + WAITING_DOUBLE.lower]!,
        upper: doubles[double + WAITING_DOUBLE.upper]!,
        histogram: at.waiting + words[word + WAITING.histogram]! * histogramBytes,
      },
      at.histograms + thread * depthRoom * histogramBytes,
    );
  }

  /** Rows that were not in the tree, then those of validation, are led down it to a leaf. */
  private walk(part: number): void {
    const { words, doubles, plan } = this.hand;
    const { at, shape, outputApart, validationApart } = plan;
    const output = this.control(CONTROL.output);
    const sampled = this.control(CONTROL.sampled);
    const left = slicesOf(shape.rows - sampled);
    const isOwn = part < left;
    const from = isOwn ? sampled + part * SLICE_ROWS : (part - left) * SLICE_ROWS;
    const length = isOwn ? shape.rows : shape.validationRows;
    const to = Math.min(length, from + SLICE_ROWS);
    const bins = isOwn ? at.columnBins : at.validationBins;
    const margins = isOwn
      ? at.margins + output * outputApart
      : at.validationMargins + output * validationApart;
    for (let i = from; i < to; i++) {
      const row = isOwn ? words[(at.rows >>> 2) + i]! : i;
      doubles[(margins >>> 3) + row]! += this.leafUnder(bins, length, row);
    }
  }

  /** What the tree says of a row of binned columns. */
  private leafUnder(bins: number, length: number, row: number): number {
    const { words, doubles, bytes, plan } = this.hand;
    const { at, settings } = plan;
    const nodes = at.nodes >>> 2;
    const [missing, counts] = [at.missing >>> 2, at.binCounts >>> 2];
    let node = 0;
    for (;;) {
      const word = nodes + node * NODE_WORDS;
      const left = words[word + NODE.left]!;
      if (left < 0) break;
      const column = words[word + NODE.column]!;
      const bin = bytes[bins + column * length + row]!;
      const isMissing = words[missing + column] === 1 && bin === words[counts + column];
      const goesLeft = isMissing ? words[word + NODE.missingLeft] === 1 : bin <= words[word + NODE.bin]!;
      node = goesLeft ? left : left + 1;
    }
    return Math.fround(
      settings.eta * doubles[(at.nodeDoubles >>> 3) + node * NODE_DOUBLES + NODE_DOUBLE.value]!,
    );
  }
}
