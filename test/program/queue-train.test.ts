import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { ModelRegistry } from '#adapters';
import { runCli, Workplace } from '../cli/run-cli.ts';
import { barsCsv, trendingBars } from '../support/trending-market.ts';
import { noKeysOfWorks, partsHeld, QueueKit } from './queue-kit.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
const kit = new QueueKit(place, 'trainings over a queue');
place.write('BTCUSDT-15m.csv', barsCsv(trendingBars({ days: 20, seed: 'cli' })));

const TRIALS = 8;
/** A small training of one configuration. */
const train = (out: string, ...more: string[]) => [
  ...['train', 's1', '--bars', p('BTCUSDT-15m.csv'), '--config', 'BTC_15M'],
  ...['--train-days', '4', '--test-hours', '48', '--trials', String(TRIALS)],
  ...['--out', p(out), '--models', p(`models-${out}`), '--registry', p(`${out}.sqlite`)],
  ...more,
];

/** What a training leaves: its files, and the objects of the registry of models, byte for byte. */
const leftBy = (out: string) => [
  ...kit.filesOf(out),
  ...kit.filesOf(`models-${out}`).filter(([name]) => !/sqlite|lock/.test(name)),
];

describe('a training over several workers', () => {
  kit.it('comes to the model of one machine, though a worker is killed half way', async (server) => {
    const first = kit.worker(server, 'cache-1');
    const second = kit.worker(server, 'cache-2', '--built-in-only', '--json');
    const training = kit.start(...train('far', '--queue', server.url));
    const done = () => kit.kept('far/S1_RX68_BTC_15M/training.unfinished');
    await training.until(() => done() > 1, 'some trials to be done');
    await training.until(async () => (await partsHeld(server)) > 1, 'both workers to hold trials');
    first.kill('SIGKILL');
    expect(done()).toBeLessThan(TRIALS);
    const { code, stderr } = await training.ended;
    expect(code, stderr).toBe(0);
    await noKeysOfWorks(server);
    second.kill('SIGINT');
    const left = JSON.parse((await second.ended).stdout) as { works: Record<string, unknown>[] };
    // bars, regime and its strength, each of them once for all trials
    expect(left.works).toEqual([
      { title: 'training of S1_RX68_BTC_15M', parts: expect.any(Number), fetched: 8 },
    ]);

    const alone = await runCli(...train('alone', '--workers', '1'));
    expect(alone.code, alone.stderr).toBe(0);
    const names = leftBy('alone').map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(['s1_rx68_results_final.json', 'S1_RX68_BTC_15M/training.json']),
    );
    expect(names.filter((name) => /[0-9a-f]{64}/.test(name)).length).toBeGreaterThan(1);
    expect(leftBy('far')).toEqual(leftBy('alone'));
    const models = ModelRegistry.open(p('models-far'));
    try {
      expect(models.verify().faults).toEqual([]);
    } finally {
      models.close();
    }
  });

  kit.it('says that a Redis is not there, or that threads are asked for as well', async () => {
    for (const [more, code, says] of [
      [[], 5, 'redis://127.0.0.1:1 cannot be reached'],
      [['--workers', '2'], 2, '--workers does not go with --queue'],
    ] as const) {
      const done = await runCli(...train('never', '--queue', 'redis://127.0.0.1:1', ...more));
      expect(done.code, done.stderr).toBe(code);
      expect(done.stderr).toContain(says);
    }
    expect(existsSync(p('never'))).toBe(false);
  });
});
