import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { RedisLink, readRedisAddress, WorkBoard, type WorkDocument, workIdOf } from '#adapters';
import { programHash, reckonerHash } from '../../src/apps/setup/code-hash.ts';
import { spansOf } from '../../src/apps/setup/optimise/run-optimise.ts';
import { planStudy } from '../../src/apps/setup/optimise/study-setting.ts';
import { spansDocument } from '../../src/apps/setup/work/spans-on-queue.ts';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from '../cli/run-cli.ts';
import { sweepRequest } from '../support/sweep-request.ts';
import { noKeysOfWorks, partsHeld, QueueKit, SLOW_DESK } from './queue-kit.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
const kit = new QueueKit(place, 'studies over a queue', { NAP: '60' });
place.write('WAVE-1h.csv', waveCsv(1500));
place.write('sma.ts', readFileSync(SMA));
place.write('slow.ts', SLOW_DESK);

const common = (out: string) => [
  p('slow.ts'),
  ...['--bars', p('WAVE-1h.csv'), '--fee-bps', '3', '--where', 'fast != 3'],
  ...['--out', p(out), '--registry', p(`${out}.sqlite`)],
];
const walk = (out: string, ...more: string[]) => [
  'walk-forward',
  ...common(out),
  ...['--param', 'fast=2:7:1', '--param', 'slow=44,54', '--train', '20d', '--test', '10d'],
  ...more,
];
const optimise = (out: string, ...more: string[]) => [
  'optimise',
  ...common(out),
  ...['--param', 'fast=2:9', '--param', 'slow=20:60', '--trials', '24', '--prune', '8'],
  ...more,
];

/** What this machine alone comes to. */
async function alone(argv: readonly string[], out: string) {
  const done = await runCli(...argv, '--workers', '1');
  expect(done.code, done.stderr).toBe(0);
  return kit.filesOf(out);
}

describe('a study over several workers', () => {
  kit.it('walks forward as one machine does, though a worker is killed half way', async (server) => {
    const first = kit.worker(server, 'cache-1');
    const second = kit.worker(server, 'cache-2', '--json');
    const study = kit.start(...walk('walked', '--queue', server.url));
    const expected = await alone(walk('walked-alone'), 'walked-alone');
    expect(expected.map(([name]) => name)).toEqual(['equity.csv', 'walk-forward.json', 'windows.csv']);
    const done = () => kit.kept('walked/walk-forward.unfinished');
    await study.until(() => done() > 12, 'the first window to be done');
    await study.until(async () => (await partsHeld(server)) > 1, 'both workers to hold runs');
    first.kill('SIGKILL');
    const atKill = done();
    const { code, stderr } = await study.ended;
    expect(code, stderr).toBe(0);
    expect(atKill).toBeLessThan(44);
    expect(kit.filesOf('walked')).toEqual(expected);
    await noKeysOfWorks(server);
    second.kill('SIGINT');
    const left = JSON.parse((await second.ended).stdout) as { works: Record<string, unknown>[] };
    // six columns of bars, each of them once for all windows
    expect(left.works).toEqual([
      {
        title: expect.stringMatching(/^walk-forward of .* over WAVE/),
        parts: expect.any(Number),
        fetched: 6,
      },
    ]);
  });

  kit.it('finds and prunes what one machine does, on from where Ctrl-C ended it', async (server) => {
    kit.worker(server, 'cache-1');
    const study = kit.start(...optimise('found', '--queue', server.url));
    const expected = await alone(optimise('found-alone'), 'found-alone');
    expect(Buffer.from(expected[0]![1], 'base64').toString()).toContain('"state":"pruned"');
    await study.until(() => kit.kept('found/study.unfinished') > 4, 'some trials to be done');
    study.kill('SIGINT');
    const { code, stderr } = await study.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('the same command goes on');
    await noKeysOfWorks(server);
    const goesOn = await runCli(...optimise('found', '--queue', server.url, '--json'));
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toMatch(/holds \d+ of 24 trials already/);
    expect(jsonOf(goesOn)).toMatchObject({ finished: true, queue: server.url });
    expect(kit.filesOf('found')).toEqual(expected);

    const cross = (out: string, ...more: string[]) => [
      'cross-validate',
      ...common(out),
      ...['--param', 'fast=2:5:1', '--param', 'slow=44', '--groups', '4', ...more],
    ];
    const far = await runCli(...cross('crossed', '--queue', server.url));
    expect(far.code, far.stderr).toBe(0);
    expect(kit.filesOf('crossed')).toEqual(await alone(cross('crossed-alone'), 'crossed-alone'));
  });

  kit.it('is not played by a worker that may not, or that cannot read it, and says why', async (server) => {
    const link = await RedisLink.connect(readRedisAddress(server.url));
    try {
      const board = new WorkBoard(link.client);
      const study = await planStudy(
        sweepRequest(p('slow.ts'), p('WAVE-1h.csv'), { params: ['fast=2:21', 'slow=40:60'] }),
      );
      const { signal } = new AbortController();
      const { document } = spansDocument(spansOf(study, 'sharpe', 'study', {}, signal));
      const plan = document.plan as Record<string, WorkDocument['plan']>;
      expect(plan).toMatchObject({ codeHash: programHash() });
      const documents: WorkDocument[] = [
        { ...document, title: 'of a desk file' },
        { ...document, title: 'damaged', plan: { ...plan, tapeHash: 'x' } },
        { ...document, title: 'of a file there', plan: { ...plan, desk: { kind: 'built-in', name: SMA } } },
      ];
      for (const one of documents) await board.announce(workIdOf(one), one, Date.now());
      const player = kit.worker(server, 'cache-3', '--built-in-only');
      await player.until(() => player.stderr.split('\n').length > 3, 'three refusals');
      expect(reckonerHash()).toBe(document.program);
      expect(player.stderr).toContain(
        'of a desk file: not taking part: it runs built-in desks only, and sma-cross is a desk file',
      );
      expect(player.stderr).toContain('damaged: not taking part: the study is damaged: tapeHash');
      expect(player.stderr).toContain('of a file there: not taking part: the study is damaged: desk.name');
    } finally {
      link.close();
    }
  });
});

describe('a queue that cannot be', () => {
  kit.it('is said before anything is written', async () => {
    const argv = walk('never', '--queue', 'redis://:hidden@127.0.0.1:1');
    for (const [more, code, says] of [
      [[], 5, 'redis://127.0.0.1:1 cannot be reached'],
      [['--workers', '2'], 2, '--workers does not go with --queue'],
    ] as const) {
      const done = await runCli(...argv, ...more);
      expect(done.code, done.stderr).toBe(code);
      expect(done.stderr).toContain(says);
      expect(done.stderr + done.stdout).not.toContain('hidden');
    }
    expect(() => kit.filesOf('never')).toThrow('ENOENT');
  });
});
