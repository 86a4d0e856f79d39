import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RedisLink, readRedisAddress, WorkBoard, type WorkDocument, workIdOf } from '#adapters';
import { sha256 } from '#base';
import { reckonerHash } from '../../src/apps/setup/code-hash.ts';
import { planSweep } from '../../src/apps/setup/sweep/sweep-plan.ts';
import { documentOf } from '../../src/apps/setup/work/play-on-queue.ts';
import { runCli, SMA, Workplace, waveCsv } from '../cli/run-cli.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { sweepRequest } from '../support/sweep-request.ts';
import type { Child } from './child.ts';
import { noKeysOfWorks, partsHeld, QueueKit, SLOW_DESK } from './queue-kit.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
const kit = new QueueKit(place, 'sweeps over a queue', { NAP: '60' });
place.write('WAVE-1h.csv', waveCsv(1500));
place.write('sma.ts', readFileSync(SMA));
place.write('slow.ts', SLOW_DESK);

const MANY = ['--param', 'fast=2:21:1', '--param', 'slow=44,54', '--fee-bps', '3', '--where', 'fast != 3'];
const VARIANTS = 38;
const sweepArgs = (out: string, { url }: RedisServer) => [
  'sweep',
  p('slow.ts'),
  '--bars',
  p('WAVE-1h.csv'),
  ...MANY,
  '--out',
  p(out),
  '--registry',
  p(`${out}.sqlite`),
  '--queue',
  url,
];
/** A worker that lives through several tests, as it does on another machine: starting one takes longer than most of them. */
let stays: Child | null = null;
const stayingWorker = (server: RedisServer): Child => {
  stays ??= kit.worker(server, 'cache-2');
  return stays;
};

/** The table that this machine alone comes to. */
let alone: [string, string][] | null = null;
async function aloneFiles() {
  if (alone === null) {
    const argv = ['--bars', p('WAVE-1h.csv'), ...MANY, '--workers', '1', '--out', p('alone')];
    const done = await runCli('sweep', p('slow.ts'), ...argv, '--registry', p('alone.sqlite'));
    expect(done.code, done.stderr).toBe(0);
    alone = kit.filesOf('alone');
  }
  return alone;
}

const rowsKept = (out: string) => kit.kept(`${out}/rows.jsonl`);

describe('a sweep over several workers', () => {
  kit.it('has the table of one machine, though a worker is killed half way', async (server) => {
    const first = kit.worker(server, 'cache-1');
    stayingWorker(server);
    const sweep = kit.start(...sweepArgs('killed', server));
    const expected = await aloneFiles();
    await sweep.until(() => rowsKept('killed') > VARIANTS / 3, 'a third of the variants to be done');
    await sweep.until(async () => (await partsHeld(server)) > 2, 'both workers to hold parts');
    first.kill('SIGKILL');
    const atKill = rowsKept('killed');
    const { code, stdout, stderr } = await sweep.ended;
    expect(code, stderr).toBe(0);
    expect(atKill).toBeLessThan(VARIANTS);
    expect(stdout).toContain(`through ${server.url}`);
    expect(kit.filesOf('killed')).toEqual(expected);
    await noKeysOfWorks(server);
  });

  kit.it('has it too when Redis crashes, with its memory and without', async (server) => {
    const expected = await aloneFiles();
    const player = stayingWorker(server);
    const sweep = runCli(...sweepArgs('restarted', server));
    await player.until(() => rowsKept('restarted') > VARIANTS / 4, 'a quarter to be done');
    await server.down();
    await sleep(200);
    await server.up();
    await player.until(() => rowsKept('restarted') > VARIANTS / 2, 'half to be done');
    await server.down();
    server.forget();
    const atCrash = rowsKept('restarted');
    await server.up();
    const { code, stderr } = await sweep;
    expect(code, stderr).toBe(0);
    expect(atCrash).toBeLessThan(VARIANTS);
    expect(kit.filesOf('restarted')).toEqual(expected);
    await noKeysOfWorks(server);
  });

  kit.it('goes on where Ctrl-C ended it, and says when a variant fails', async (server) => {
    const expected = await aloneFiles();
    const player = stayingWorker(server);
    const sweep = kit.start(...sweepArgs('part', server));
    await sweep.until(() => rowsKept('part') > 3, 'some variants to be done');
    sweep.kill('SIGINT');
    const { code, stderr } = await sweep.ended;
    expect(code, stderr).toBe(130);
    const kept = Number(/interrupted: (\d+) of 38 variants are kept/.exec(stderr)?.[1]);
    expect(kept).toBeGreaterThan(0);
    await noKeysOfWorks(server);
    const goesOn = await runCli(...sweepArgs('part', server));
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toContain(`holds ${kept} of 38 variants already`);
    expect(kit.filesOf('part')).toEqual(expected);

    place.write('lib.mjs', 'export const BAD = 3;\n');
    place.write(
      'fails-at-three.mjs',
      `import { BAD } from './lib.mjs';
const schema = { safeParse: (data) => ({ success: true, data }) };
const pooling = { name: 'p', takes: 'score', pool: () => null };
const sizer = { name: 'z', features: {}, size: () => null };
const build = ({ n }) => {
  const signal = () => { if (n === BAD) throw new RangeError('made to fail'); return null; };
  const source = { kind: 'local', name: 's', features: {}, state: () => null, signal };
  return { interval: 'tape', warmUpBars: 1, sources: [source], pooling, sizer };
};
export default { name: 'fails', summary: '', parameters: schema, build };
`,
    );
    const failed = await runCli(
      ...['sweep', p('fails-at-three.mjs'), '--bars', p('WAVE-1h.csv'), '--param', 'n=1:4:1'],
      ...['--out', p('fails'), '--no-registry', '--queue', server.url],
    );
    expect(failed.code, failed.stderr).toBe(3);
    expect(failed.stderr).toMatch(/fails-at-three\.mjs:6: made to fail \(at n=3\)/);
    await noKeysOfWorks(server);
    player.kill('SIGINT');
    const ended = await player.ended;
    expect(ended.code, ended.stderr).toBe(130);
    expect(ended.stdout).toMatch(/^stopped: \d+ parts of 2 works done/);
  });

  kit.it(
    'is not played by a worker of another version, nor one that may not, and says why',
    async (server) => {
      const link = await RedisLink.connect(readRedisAddress(server.url));
      try {
        const board = new WorkBoard(link.client);
        const strange = (title: string, changes: Partial<WorkDocument>): WorkDocument => ({
          format: 1,
          kind: 'sweep',
          program: reckonerHash(),
          title,
          plan: {},
          pieces: {},
          ...changes,
        });
        const plan = await planSweep(
          sweepRequest(p('slow.ts'), p('WAVE-1h.csv'), { params: ['fast=2:21:1'] }),
        );
        const documents = [
          strange('older', { program: sha256('older') }),
          strange('unknown', { kind: 'baking' }),
          strange('damaged', { plan: { identity: 1 } }),
          { ...documentOf(plan).document, title: 'of a desk file' },
        ];
        for (const document of documents) await board.announce(workIdOf(document), document, Date.now());
        await link.client.set(`quorum:work:${workIdOf(documents[2]!)}x`, 'not one');
        const player = kit.worker(server, 'cache-4', '--built-in-only', '--json');
        await player.until(() => player.stderr.split('\n').length > 4, 'four refusals');
        expect(player.stderr).toContain(
          'older: not taking part: it belongs to another version of the program',
        );
        expect(player.stderr).toContain('unknown: not taking part: "baking" is no work it knows');
        expect(player.stderr).toContain('damaged: not taking part: the sweep is damaged: identity');
        expect(player.stderr).toContain(
          'of a desk file: not taking part: it runs built-in desks only, and sma-cross is a desk file',
        );
        player.kill('SIGTERM');
        const { code, stdout } = await player.ended;
        expect(code).toBe(130);
        expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, queue: server.url, parts: 0, works: [] });
      } finally {
        link.close();
      }
    },
  );
});

describe('a queue that cannot be', () => {
  const sweep = (...argv: string[]) =>
    runCli('sweep', SMA, '--bars', p('WAVE-1h.csv'), '--param', 'fast=3:5:1', '--out', p('never'), ...argv);

  it.each([
    ['no URL', ['--queue', 'host:6379'], 3, ['--queue begins with host://', 'redis://HOST:PORT']],
    ['another protocol', ['--queue', 'http://me:hidden@host'], 3, ['begins with http://']],
    [
      'nobody there',
      ['--queue', 'redis://:hidden@127.0.0.1:1'],
      5,
      ['redis://127.0.0.1:1 cannot be reached'],
    ],
    ['threads here as well', ['--queue', 'redis://127.0.0.1:1', '--workers', '2'], 2, ['--workers']],
  ] as const)('%s', async (_, argv, code, says) => {
    const done = await sweep(...argv);
    expect(done.code, done.stderr).toBe(code);
    for (const word of says) expect(done.stderr).toContain(word);
    expect(done.stderr + done.stdout).not.toContain('hidden');
    expect(existsSync(p('never'))).toBe(false);
    if (argv.length > 2) return;
    const player = await runCli('worker', ...argv, '--cache', p('never'));
    expect(player.code, player.stderr).toBe(code);
    for (const word of says) expect(player.stderr).toContain(word);
  });

  it('a worker without an address', async () => {
    expect((await runCli('worker')).code).toBe(2);
    expect((await runCli('worker', '--queue', 'redis://127.0.0.1:1', '--workers', '0')).code).toBe(2);
  });
});
