import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workIdOf } from '#adapters';
import { HOUR } from '#base';
import { objectiveOf } from '#research';
import { waveCsv } from '../../../../test/cli/run-cli.ts';
import { sweepRequest } from '../../../../test/support/sweep-request.ts';
import { type PlayedSpan, type SpanJob, SpanPlays, type SpanSetting } from '../optimise/play-span.ts';
import { spansOf } from '../optimise/run-optimise.ts';
import { planStudy, type StudySetting } from '../optimise/study-setting.ts';
import { packMedians, unpackMedians } from './packed.ts';
import { packJob, packPlayed } from './span-kind.ts';
import { readSpan, spansDocument } from './spans-on-queue.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-spans-'));
afterAll(() => rmSync(folder, { recursive: true }));

let study: StudySetting;
let setting: SpanSetting;
let job: SpanJob;
let here: PlayedSpan;
let pruned: PlayedSpan;
/** What an honest worker says of the run, as it comes through Redis. */
let honest: string;
beforeAll(async () => {
  writeFileSync(join(folder, 'WAVE-1h.csv'), waveCsv(600));
  const desk = fileURLToPath(new URL('../../../../examples/01-sma-cross.ts', import.meta.url));
  const params = ['fast=3:12', 'slow=20:29'];
  study = await planStudy(sweepRequest(desk, join(folder, 'WAVE-1h.csv'), { params }));
  ({ setting } = study);
  const from = setting.data.tape.from! + 200 * HOUR;
  const span = { from, to: from + 240 * HOUR };
  job = { point: { fast: 4, slow: 22 }, span, cashMinor: 123_456_789, pruning: null, detail: true };
  const plays = new SpanPlays(setting, objectiveOf('sharpe'));
  here = (await plays.play(job, () => true))!;
  pruned = (await plays.play(prunedJob(), () => true))!;
  honest = JSON.stringify({ played: packPlayed(here), failed: null });
});

const prunedJob = (): SpanJob => ({
  ...job,
  detail: false,
  pruning: { medians: Array.from({ length: 8 }, (_, k) => (k < 3 ? null : -1e9)) },
});
const FAILED = { name: 'RangeError', message: 'made to fail', stack: null, mend: null };

type Played = Record<string, unknown> & {
  figures: Record<string, unknown>;
  detail: { times: string; equities: string; trades: Record<string, unknown>[] };
};
type Changed = { played: Played | null; failed: unknown };

function read(change: (result: Changed & { played: Played }) => unknown) {
  const result = JSON.parse(honest) as Changed & { played: Played };
  const changed = change(result);
  return readSpan(setting, packJob(job), changed === undefined ? result : changed);
}

describe('a run that came through Redis', () => {
  it('is taken when it is the one asked for, bit for bit', () => {
    const result = read(() => undefined);
    expect(here.detail!.trades.length).toBeGreaterThan(3);
    expect(result).toEqual(here);
    // also in the order of its members, which is that of the bytes in a file
    expect(JSON.stringify(result)).toBe(JSON.stringify(here));
  });

  it('may have been stopped by the medians it was given', () => {
    expect(pruned).toMatchObject({ pruned: true, detail: null });
    const result = JSON.parse(JSON.stringify({ played: packPlayed(pruned), failed: null })) as unknown;
    expect(JSON.stringify(readSpan(setting, packJob(prunedJob()), result))).toBe(JSON.stringify(pruned));
    // and by nothing else
    expect(readSpan(setting, packJob({ ...prunedJob(), pruning: null }), result)).toBeNull();
  });

  it('says what it failed with', () => {
    expect(() => read(() => ({ played: null, failed: FAILED }))).toThrow('made to fail');
    expect(() =>
      read(() => ({ played: null, failed: { ...FAILED, name: 'InputError', mend: 'mend it' } })),
    ).toThrow(expect.objectContaining({ name: 'InputError', mend: 'mend it' }));
  });

  it.each<[string, (result: Changed & { played: Played }) => unknown]>([
    ['nothing', () => null],
    ['text', () => 'done'],
    ['neither a run nor a failure', () => ({ played: null, failed: null })],
    ['a run and a failure', (one) => ({ ...one, failed: FAILED })],
    ['the run of another point', (one) => changed(one, { variantHash: 'a'.repeat(64) })],
    ['of another cash', (one) => changed(one, { cash: 5 })],
    ['of a span that begins elsewhere', (one) => changed(one, { from: here.from + HOUR })],
    ['stopped though nothing could stop it', (one) => changed(one, { pruned: true })],
    ['with reports nobody asked for', (one) => changed(one, { reports: [[0, 1]] })],
    ['without what was wanted', (one) => changed(one, { detail: null })],
    ['with a member that nobody knows', (one) => changed(one, { more: 1 })],
    ['with equity that is not in whole doubles', (one) => changed(one, { daily: 'AAAA' })],
    ['with a net that is no number', (one) => changed(one, { nets: nan() })],
    [
      'with more times than equities',
      (one) => changed(one, { detail: { ...one.played.detail, times: two() } }),
    ],
    [
      'with a figure that is text',
      (one) => changed(one, { figures: { ...one.played.figures, trades: '3' } }),
    ],
    [
      'with a trade in no direction',
      (one) =>
        changed(one, {
          detail: { ...one.played.detail, trades: [{ ...one.played.detail.trades[0], direction: 0 }] },
        }),
    ],
  ])('is refused when it is %s', (_, change) => {
    expect(read(change)).toBeNull();
  });
});

const changed = (one: Changed, members: Record<string, unknown>): Changed => ({
  ...one,
  played: { ...one.played!, ...members },
});
const nan = () => Buffer.from(Float64Array.of(1, Number.NaN).buffer).toString('base64');
const two = () => Buffer.from(Float64Array.of(1, 2).buffer).toString('base64');

describe('a job', () => {
  it('carries medians as they are: an infinite one is not the same as none', () => {
    const medians = [null, 0.25, Number.POSITIVE_INFINITY, -3];
    const sent = JSON.parse(JSON.stringify(packMedians(medians))) as ReturnType<typeof packMedians>;
    expect(unpackMedians(sent)).toEqual(medians);
    expect(() => packMedians([Number.NaN])).toThrow();
  });

  it('belongs to a work that is named by all that decides its runs', () => {
    const { signal } = new AbortController();
    const idOf = (objective: string, identity: object) =>
      workIdOf(spansDocument(spansOf(study, objective, 'study', identity, signal)).document);
    const id = idOf('sharpe', { trials: 1 });
    expect(idOf('sharpe', { trials: 1 })).toBe(id);
    expect(idOf('calmar', { trials: 1 })).not.toBe(id);
    expect(idOf('sharpe', { trials: 2 })).not.toBe(id);
    const seeded = { ...study, setting: { ...setting, settings: { ...setting.settings, seed: 'other' } } };
    expect(
      workIdOf(spansDocument(spansOf(seeded, 'sharpe', 'study', { trials: 1 }, signal)).document),
    ).not.toBe(id);
  });
});
