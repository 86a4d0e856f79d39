import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { isSampled, newSpanId, newTraceId, placeIn, traceparentOf } from './spans.ts';
import { traceSettings } from './trace-settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const settings = (more: Record<string, string> = {}) => traceSettings({ ...ENDPOINT, ...more })!;

describe('what the environment asks for', () => {
  it('is nothing without an endpoint, or where it is switched off', () => {
    expect(traceSettings({})).toBeNull();
    expect(traceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_SERVICE_NAME: 'x' })).toBeNull();
    expect(traceSettings({ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' })).toBeNull();
    expect(traceSettings({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).toBeNull();
    expect(traceSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c:4318/x' })).not.toBeNull();
  });

  it('has the defaults of the specification', () => {
    expect(settings()).toEqual({
      resource: { 'service.name': 'quorum' },
      sampling: { ratio: 1, followsParent: true },
      delayMs: 5_000,
      queueMost: 2_048,
      batchMost: 512,
      notes: [],
    });
  });

  it('names the service, and adds to the resource', () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,deployment=paper%20one' };
    expect(settings(attributes).resource).toEqual({ 'service.name': 'a', deployment: 'paper one' });
    expect(settings({ ...attributes, OTEL_SERVICE_NAME: 'b' }).resource['service.name']).toBe('b');
    const broken = settings({ OTEL_RESOURCE_ATTRIBUTES: 'a=1,b' });
    expect([broken.resource, broken.notes.length]).toEqual([{ 'service.name': 'quorum' }, 1]);
  });

  it.each([
    ['always_on', 1, false],
    ['always_off', 0, false],
    ['traceidratio', 0.25, false],
    ['parentbased_always_on', 1, true],
    ['parentbased_always_off', 0, true],
    ['parentbased_traceidratio', 0.25, true],
  ])('knows the sampler %s', (name, ratio, followsParent) => {
    const found = settings({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.25' });
    expect([found.sampling, found.notes]).toEqual([{ ratio, followsParent }, []]);
  });

  it('ignores with a word what is none', () => {
    const found = settings({
      OTEL_TRACES_SAMPLER: 'constructor',
      OTEL_TRACES_SAMPLER_ARG: '1.5',
      OTEL_BSP_SCHEDULE_DELAY: '0',
      OTEL_BSP_MAX_QUEUE_SIZE: '-3',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    });
    expect(found).toMatchObject({ sampling: { ratio: 1, followsParent: true }, delayMs: 5_000 });
    expect(found.notes).toHaveLength(5);
  });

  it('never puts more into a batch than may wait', () => {
    expect(settings({ OTEL_BSP_MAX_QUEUE_SIZE: '3' })).toMatchObject({ queueMost: 3, batchMost: 3 });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318/a-password'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'a-password'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_EXPORTER', 'a-password'],
  ])('refuses a %s that could only fail, without repeating it', (name, value) => {
    let said = '';
    try {
      settings({ [name]: value });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      said = `${error.message} ${error.mend}`;
    }
    expect(said).toContain(name);
    expect(said).not.toContain('password');
  });
});

describe('a trace that crosses processes', () => {
  it('is read as it was written', () => {
    for (const sampled of [true, false]) {
      const place = { traceId: newTraceId(), spanId: newSpanId(), sampled };
      expect(placeIn(traceparentOf(place))).toEqual(place);
    }
  });

  it('is taken from later versions, and from nothing else', () => {
    const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    expect(placeIn(`01-${trace}-${span}-03-more`)).toEqual({ traceId: trace, spanId: span, sampled: true });
    for (const none of [
      undefined,
      7,
      '',
      `00-${trace}-${span}-01-more`,
      `ff-${trace}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `01-${trace}-${span}-01-${'x'.repeat(600)}`,
    ])
      expect(placeIn(none)).toBeNull();
  });
});

describe('sampling', () => {
  const ids = Array.from({ length: 4_096 }, (_, i) =>
    i.toString(16).padStart(3, '0').padEnd(13, '0').padStart(32, 'a'),
  );
  const kept = (ratio: number) => ids.filter((id) => isSampled({ ratio, followsParent: true }, id, null));

  it('keeps the share that was asked for, and of a smaller share no others', () => {
    expect([0, 0.25, 0.5, 1].map((ratio) => kept(ratio).length)).toEqual([0, 1_024, 2_048, 4_096]);
    const half = new Set(kept(0.5));
    expect(kept(0.25).every((id) => half.has(id))).toBe(true);
  });

  it('goes by the parent where it is to', () => {
    const parent = { traceId: ids[0]!, spanId: newSpanId(), sampled: true };
    expect(isSampled({ ratio: 0, followsParent: true }, ids[0]!, parent)).toBe(true);
    expect(isSampled({ ratio: 0, followsParent: false }, ids[0]!, parent)).toBe(false);
    expect(isSampled({ ratio: 1, followsParent: true }, ids[0]!, { ...parent, sampled: false })).toBe(false);
  });
});
