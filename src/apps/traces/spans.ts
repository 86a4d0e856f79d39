import { randomUUID } from 'node:crypto';
import type { TraceSampling } from './trace-settings.ts';

/** Where in which trace something is; what crosses from one process to another. */
export interface SpanPlace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Whether the trace is kept. */
  readonly sampled: boolean;
}

export type SpanValue = string | number | boolean | readonly string[];
export type SpanAttributes = Readonly<Record<string, SpanValue>>;

/** `server` answers another process, `client` asks one. */
export type SpanKind = 'internal' | 'server' | 'client';

/** A span that has ended, as plain data. Times are epoch ms with fractions. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly failed: boolean;
}

/** From UUIDs, since Node draws the chance for many of them at once: all but six bits of them are chance. */
export const newTraceId = (): string => randomUUID().replaceAll('-', '');
export const newSpanId = (): string => randomUUID().slice(-17).replace('-', '');

const DIGITS = 13;

/**
 * Whether a trace is kept. By its id: its last 52 bits, as a fraction, lie within the ratio, so that every process that is
 * given the same ratio keeps the same traces.
 */
export function isSampled(sampling: TraceSampling, traceId: string, parent: SpanPlace | null): boolean {
  if (parent !== null && sampling.followsParent) return parent.sampled;
  return Number.parseInt(traceId.slice(-DIGITS), 16) / 16 ** DIGITS >= 1 - sampling.ratio;
}

/** The header of W3C Trace Context, level 1. */
export function traceparentOf({ traceId, spanId, sampled }: SpanPlace): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Null for what is none: a trace begins anew there. */
export function placeIn(traceparent: unknown): SpanPlace | null {
  const found = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  if (found === null || (traceparent as string).length > 512) return null;
  // the version that is known ends with the flags
  if (found[4] !== undefined && found[0].startsWith('00')) return null;
  return { traceId: found[1]!, spanId: found[2]!, sampled: (Number.parseInt(found[3]!, 16) & 1) === 1 };
}
