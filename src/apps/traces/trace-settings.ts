import { InputError } from '#base';

/** Which traces are kept: `ratio` of those that begin here; a trace that another process began goes by its word. */
export interface TraceSampling {
  /** 0..1. */
  readonly ratio: number;
  readonly followsParent: boolean;
}

/** What the environment says of traces, by the OpenTelemetry specification. The exporter reads its own variables itself. */
export interface TraceSettings {
  /** Of the process: `service.name` and what OTEL_RESOURCE_ATTRIBUTES adds. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampling: TraceSampling;
  /** Longest time between the end of a span and its being sent, while the collector answers. */
  readonly delayMs: number;
  /** Spans that may wait; what comes then is dropped. */
  readonly queueMost: number;
  readonly batchMost: number;
  /** Values that are ignored, as the specification wants it, in words. */
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
const SERVICE = 'quorum';
/** Defaults of the specification. */
const DELAY_MS = 5_000;
const QUEUE_MOST = 2_048;
const BATCH_MOST = 512;

const SAMPLERS: Readonly<Record<string, (ratio: number) => TraceSampling>> = {
  always_on: () => ({ ratio: 1, followsParent: false }),
  always_off: () => ({ ratio: 0, followsParent: false }),
  traceidratio: (ratio) => ({ ratio, followsParent: false }),
  parentbased_always_on: () => ({ ratio: 1, followsParent: true }),
  parentbased_always_off: () => ({ ratio: 0, followsParent: true }),
  parentbased_traceidratio: (ratio) => ({ ratio, followsParent: true }),
};

/**
 * What is asked for; null: no traces. They need an endpoint, and neither OTEL_SDK_DISABLED=true nor
 * OTEL_TRACES_EXPORTER=none. Throws {@link InputError} for what could only ever fail; it repeats no value, since an address
 * may hold a password.
 */
export function traceSettings(env: Environment): TraceSettings | null {
  // a variable that is set to nothing is not set
  const given = (name: string) => env[name]?.trim() || null;
  const endpoint = ENDPOINTS.find((name) => given(name) !== null);
  if (endpoint === undefined || given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  const exporter = given('OTEL_TRACES_EXPORTER') ?? 'otlp';
  if (exporter === 'none') return null;
  if (exporter !== 'otlp')
    throw new InputError(
      'OTEL_TRACES_EXPORTER names another exporter than otlp',
      'set it to otlp, or to none for no traces',
    );
  checkEndpoint(endpoint, given(endpoint)!);
  const notes: string[] = [];
  const protocol = given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? given('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol === 'grpc')
    throw new InputError(
      'traces are sent over HTTP, and OTEL_EXPORTER_OTLP_PROTOCOL asks for grpc',
      "set it to http/json and the endpoint to the collector's port for HTTP, usually 4318",
    );
  if (protocol !== null && protocol !== 'http/json')
    notes.push('OTEL_EXPORTER_OTLP_PROTOCOL is not http/json: traces are sent as JSON all the same');
  const whole = (name: string, standard: number) => {
    const text = given(name);
    if (text === null || (/^\d{1,9}$/.test(text) && Number(text) > 0)) return Number(text ?? standard);
    notes.push(`${name} is no whole number above 0: ${standard} is used`);
    return standard;
  };
  const queueMost = whole('OTEL_BSP_MAX_QUEUE_SIZE', QUEUE_MOST);
  const sampling = samplingOf(given('OTEL_TRACES_SAMPLER'), given('OTEL_TRACES_SAMPLER_ARG'), notes);
  const more = attributesOf(given('OTEL_RESOURCE_ATTRIBUTES'), notes);
  const name = given('OTEL_SERVICE_NAME') ?? more['service.name'] ?? SERVICE;
  return {
    resource: { ...more, 'service.name': name },
    sampling,
    delayMs: whole('OTEL_BSP_SCHEDULE_DELAY', DELAY_MS),
    queueMost,
    batchMost: Math.min(whole('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', BATCH_MOST), queueMost),
    notes,
  };
}

/** The exporter would quietly take localhost in the place of an address that is none. */
function checkEndpoint(name: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return;
  throw new InputError(
    `${name} is no address of HTTP`,
    'give one such as http://127.0.0.1:4318, or unset it',
  );
}

function samplingOf(name: string | null, argument: string | null, notes: string[]): TraceSampling {
  const known = name === null || Object.hasOwn(SAMPLERS, name);
  if (!known) notes.push('OTEL_TRACES_SAMPLER names no sampler that is known: parentbased_always_on is used');
  const sampler = SAMPLERS[known && name !== null ? name : 'parentbased_always_on']!;
  const ratio = Number(argument ?? 1);
  if (ratio >= 0 && ratio <= 1) return sampler(ratio);
  notes.push('OTEL_TRACES_SAMPLER_ARG is no number between 0 and 1: 1 is used');
  return sampler(1);
}

/** `key=value,key=value`, percent-encoded; one fault and none of it counts, as the specification says. */
function attributesOf(text: string | null, notes: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  try {
    for (const pair of (text ?? '').split(',').filter((one) => one.trim() !== '')) {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error('no pair');
      found[decodeURIComponent(pair.slice(0, at).trim())] = decodeURIComponent(pair.slice(at + 1).trim());
    }
    return found;
  } catch {
    notes.push('OTEL_RESOURCE_ATTRIBUTES is not key=value,key=value: it is ignored');
    return {};
  }
}
