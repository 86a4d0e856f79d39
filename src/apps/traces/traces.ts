import { Threads } from '../setup/threads/run-in-threads.ts';
import type { Delivered, ExportData } from './export-thread.ts';
import {
  type EndedSpan,
  isSampled,
  newSpanId,
  newTraceId,
  type SpanAttributes,
  type SpanKind,
  type SpanPlace,
} from './spans.ts';
import type { TraceSettings } from './trace-settings.ts';

/** Spans since the process began, by what became of them. */
export interface TraceFigures {
  /** A collector took them. */
  readonly exported: number;
  /** `full`: more waited than may; `failed`: handed over, and no collector took them. */
  readonly dropped: { readonly full: number; readonly failed: number };
}

/** Something that takes time. One whose trace is not kept costs its ids and nothing more. */
export interface Span {
  readonly place: SpanPlace;
  /** Ends it; `at` by the monotonic clock. To be called once. */
  end(attributes: SpanAttributes, options?: { readonly failed?: boolean; readonly at?: number }): void;
}

export interface TracesOptions {
  readonly settings: TraceSettings;
  /** File of the exporter's package. */
  readonly exporter: string;
  /** A line for people: the collector went away, or is there again. */
  readonly say: (line: string) => void;
  /** How long the end waits for a collector; a second unless given. */
  readonly goodbyeMs?: number;
}

type ExportThreads = Threads<ExportData, readonly EndedSpan[], never, Delivered>;

/** How long the end of the process waits for a collector. */
const GOODBYE_MS = 1_000;
/** A wall clock that was set, or a machine that slept: from this on spans are dated anew. */
const DRIFT_MS = 20;
/** More than the exporter ever needs for one batch; what would leak ends the thread, not the program. */
const HEAP_MB = 128;

/**
 * The traces of one process. A span that ends is put into a bounded queue and sent by a thread of its own, where whatever the
 * collector does costs whoever made the span nothing: no wait, no exception, no time for JSON or TLS.
 */
export class Traces {
  /** A line for people; may be set once there is somebody to tell. */
  say: (line: string) => void;
  private readonly settings: TraceSettings;
  private readonly exporter: string;
  private readonly goodbyeMs: number;
  private threads: ExportThreads;
  private readonly waiting: EndedSpan[] = [];
  private inFlight: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private exported = 0;
  private readonly dropped = { full: 0, failed: 0 };
  private isClosed = false;
  private isAway = false;
  /** Epoch ms of the monotonic clock's zero. */
  private zeroMs = performance.timeOrigin;

  /** Begins to load the exporter, in its thread. */
  constructor({ settings, exporter, say, goodbyeMs = GOODBYE_MS }: TracesOptions) {
    this.settings = settings;
    this.exporter = exporter;
    this.say = say;
    this.goodbyeMs = goodbyeMs;
    this.threads = this.begun();
  }

  /** Begins a span, of a new trace where `parent` is null; `at` by the monotonic clock. */
  begin(name: string, kind: SpanKind, parent: SpanPlace | null, at = performance.now()): Span {
    if (parent === null) this.look();
    const traceId = parent?.traceId ?? newTraceId();
    const sampled = isSampled(this.settings.sampling, traceId, parent);
    const place: SpanPlace = { traceId, spanId: newSpanId(), sampled };
    if (!sampled) return { place, end: () => undefined };
    const startMs = this.zeroMs + at;
    const parentSpanId = parent?.spanId ?? null;
    return {
      place,
      end: (attributes, { failed = false, at: until = performance.now() } = {}) => {
        const { spanId } = place;
        const endMs = startMs + Math.max(0, until - at);
        this.put({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, failed });
      },
    };
  }

  figures(): TraceFigures {
    return { exported: this.exported, dropped: { ...this.dropped } };
  }

  /** Sends what waits, for a second at most, and ends the thread. What was not taken by then counts as dropped. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((done) => {
      late = setTimeout(done, this.goodbyeMs);
    });
    await Promise.race([this.sendAll(), limit]);
    clearTimeout(late);
    this.dropped.failed += this.waiting.splice(0).length;
    const { inFlight } = this;
    // what is open is rejected with the thread's end, and counted
    await this.threads.close();
    await inFlight;
  }

  private look(): void {
    const zeroMs = Date.now() - performance.now();
    if (Math.abs(zeroMs - this.zeroMs) > DRIFT_MS) this.zeroMs = zeroMs;
  }

  private put(span: EndedSpan): void {
    const { queueMost, batchMost, delayMs } = this.settings;
    if (this.isClosed) this.dropped.failed += 1;
    else if (this.waiting.length >= queueMost) this.dropped.full += 1;
    else {
      this.waiting.push(span);
      // never in the turn of whoever ended the span
      if (this.waiting.length === batchMost) setImmediate(() => this.send());
      this.timer ??= setTimeout(() => this.due(), delayMs).unref();
    }
  }

  private due(): void {
    this.timer = null;
    this.send();
  }

  /** One batch at a time: a collector that is slow fills the queue, not the memory. */
  private send(): void {
    if (this.inFlight !== null || this.waiting.length === 0) return;
    const batch = this.waiting.splice(0, this.settings.batchMost);
    this.inFlight = this.delivered(batch).then(() => {
      this.inFlight = null;
      if (this.isClosed || this.waiting.length === 0) return;
      if (this.waiting.length >= this.settings.batchMost) this.send();
      else this.timer ??= setTimeout(() => this.due(), this.settings.delayMs).unref();
    });
  }

  private async sendAll(): Promise<void> {
    while (this.inFlight !== null || this.waiting.length > 0) {
      this.send();
      await this.inFlight;
    }
  }

  private async delivered(batch: readonly EndedSpan[]): Promise<void> {
    const told = await this.handed(batch);
    if (told.fault === null) this.exported += batch.length;
    else this.dropped.failed += batch.length;
    if ((told.fault !== null) === this.isAway || this.isClosed) return;
    this.isAway = told.fault !== null;
    this.say(told.fault === null ? 'traces are taken again' : `traces are dropped: ${told.fault}`);
  }

  private async handed(batch: readonly EndedSpan[]): Promise<Delivered> {
    try {
      if (this.threads.isBroken) {
        void this.threads.close();
        this.threads = this.begun();
      }
      return await this.threads.run(batch);
    } catch (error) {
      return { fault: `the exporter failed (${(error as Error).name})` };
    }
  }

  private begun(): ExportThreads {
    return new Threads({
      module: 'apps/traces/export-thread',
      data: { exporter: this.exporter, resource: this.settings.resource },
      threads: 1,
      limits: { maxOldGenerationSizeMb: HEAP_MB },
      isBackground: true,
    });
  }
}
