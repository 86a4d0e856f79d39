import { type SharedWasmMemory, type WasmMemory, wasmOver } from '#base';
import { type BinValues, binFunctions, type Weave } from './bin-kernel.ts';
import type { BoostingPlan, Region } from './boosting-plan.ts';
import { type Derive, type DeriveClasses, derivativeFunctions, type Residual } from './derivative-kernels.ts';
import { type RowKernels, rowKernelFunctions } from './row-kernels.ts';
import { type Scan, scanFunctions } from './scan-kernel.ts';

export interface BoostingKernels extends RowKernels {
  readonly derive: Derive & DeriveClasses;
  readonly residual: Residual;
  readonly bin: BinValues;
  readonly weave: Weave;
  readonly scan: Scan;
  readonly scanLast: Scan;
}

/** What one thread works with: the memory of the training and the functions over it. */
export class BoostingHand {
  readonly plan: BoostingPlan;
  /** From 0, which leads. */
  readonly thread: number;
  readonly kernels: BoostingKernels;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
  private readonly buffer: ArrayBufferLike;

  constructor(plan: BoostingPlan, memory: WasmMemory | SharedWasmMemory, thread: number) {
    this.plan = plan;
    this.thread = thread;
    const { stride, columns, slots, settings, shape } = plan;
    this.kernels = wasmOver(memory, [
      ...rowKernelFunctions(stride, columns, slots),
      ...derivativeFunctions(settings.objective, shape.weighted),
      ...binFunctions(),
      ...scanFunctions(),
    ]) as unknown as BoostingKernels;
    this.buffer = memory.buffer;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
  }

  wordsAt(region: Region, length: number): Int32Array {
    return new Int32Array(this.buffer, this.plan.at[region], length);
  }

  floatsAt(region: Region, length: number): Float32Array {
    return new Float32Array(this.buffer, this.plan.at[region], length);
  }

  doublesAt(region: Region, length: number): Float64Array {
    return new Float64Array(this.buffer, this.plan.at[region], length);
  }
}
