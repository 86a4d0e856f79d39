import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MINUTE } from '#base';

/** The clock that measures is itself looked at so often; that much of each delay is none. */
const RESOLUTION_MS = 10;
const NANOSECONDS = 1e6;

/** By how much this process keeps its own work waiting, over this minute and the one before. */
export class EventLoopLag {
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly timer: NodeJS.Timeout;
  private before = 0;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => {
      this.before = this.measured();
      this.histogram.reset();
    }, MINUTE).unref();
  }

  /** Milliseconds that 99 of 100 delays are below; 0 before anything was measured. */
  p99(): number {
    return Math.max(this.before, this.measured());
  }

  close(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  private measured(): number {
    const ms = this.histogram.percentile(99) / NANOSECONDS - RESOLUTION_MS;
    return Number.isFinite(ms) ? Math.max(0, ms) : 0;
  }
}
