import { HttpLoopback, sendJson } from './http-loopback.ts';

type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: number | string }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } };

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpBatch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: readonly OtlpAttribute[];
        readonly status: { readonly code: number };
      }[];
    }[];
  }[];
}

/** A span as a collector got it. */
export interface ReceivedSpan {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | null;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** A collector of OTLP over HTTP, as JSON, on this machine. */
export class OtlpLoopback extends HttpLoopback {
  constructor() {
    super((call, response) => sendJson(response, call.path === '/v1/traces' ? 200 : 404, {}));
  }

  /** Of every batch that came, whatever it was answered with. */
  get spans(): ReceivedSpan[] {
    return this.received.flatMap(({ body }) => spansIn(JSON.parse(body) as OtlpBatch));
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  children({ spanId }: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter(({ parent }) => parent === spanId);
  }
}

function spansIn({ resourceSpans }: OtlpBatch): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        resource: valuesOf(resource.attributes),
        traceId: span.traceId,
        spanId: span.spanId,
        parent: span.parentSpanId ?? null,
        name: span.name,
        kind: span.kind,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: valuesOf(span.attributes),
        failed: span.status.code === 2,
      })),
  );
}

const valuesOf = (attributes: readonly OtlpAttribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));

function plain(value: OtlpValue): unknown {
  if ('stringValue' in value) return value.stringValue;
  if ('intValue' in value) return Number(value.intValue);
  if ('boolValue' in value) return value.boolValue;
  return value.arrayValue.values.map(plain);
}
