// A sweep of 2,000 variants on two workers over a Redis of its own: undisturbed, with a worker killed half way, and with
// Redis killed half way, once with its memory and once without. Every table must have the bytes of one machine's.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { waveCsv } from '../test/cli/run-cli.ts';
import { Child } from '../test/program/child.ts';
import { RedisServer } from '../test/support/redis-server.ts';

const BARS = 5_000;
const DESK = fileURLToPath(new URL('../examples/01-sma-cross.ts', import.meta.url));
const GRID = ['--param', 'fast=2:51:1', '--param', 'slow=60:99:1', '--fee-bps', '3', '--engine', 'loop'];
const VARIANTS = 2_000;

const place = mkdtempSync(join(tmpdir(), 'quorum-queue-trial-'));
const p = (name: string) => join(place, name);
writeFileSync(p('WAVE-1h.csv'), waveCsv(BARS));
const children: Child[] = [];

function start(...argv: string[]): Child {
  const child = new Child(argv, { cwd: place });
  children.push(child);
  return child;
}

const sweep = (out: string, ...more: string[]) =>
  start('sweep', DESK, '--bars', 'WAVE-1h.csv', ...GRID, '--out', out, ...more);

/** Variants that the rows file holds: its first line says what they belong to. */
const kept = (out: string) =>
  existsSync(p(`${out}/rows.jsonl`))
    ? readFileSync(p(`${out}/rows.jsonl`), 'latin1').split('\n').length - 2
    : 0;

async function measured(name: string, out: string, child: Child, disturb?: () => Promise<string>) {
  const started = performance.now();
  let what = '';
  if (disturb !== undefined) {
    await child.until(() => kept(out) >= VARIANTS / 2, 'half of the variants');
    what = ` (${await disturb()})`;
  }
  const { code, stderr } = await child.ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
  const seconds = ((performance.now() - started) / 1e3).toFixed(1);
  const same = ['sweep.csv', 'sweep.json'].every((file) =>
    readFileSync(p(`${out}/${file}`)).equals(readFileSync(p(`alone/${file}`))),
  );
  process.stdout.write(
    `${name.padEnd(34)} ${seconds.padStart(6)} s  ${out === 'alone' ? 'the table' : same ? 'same bytes' : 'OTHER BYTES'}${what}\n`,
  );
  if (!same) process.exitCode = 1;
}

const redis = await RedisServer.start();
try {
  if (typeof redis === 'string') throw new Error(redis);
  process.stdout.write(`${VARIANTS} variants of ${BARS} bars through the loop, two threads in all\n`);
  await measured('one machine', 'alone', sweep('alone', '--workers', '2'));
  const work = (cache: string) =>
    start('worker', '--queue', redis.url, '--workers', '1', '--cache', p(cache));
  const [first] = [work('cache-1'), work('cache-2')];
  await measured('two workers', 'two', sweep('two', '--queue', redis.url));
  const restart = async (forgets: boolean) => {
    await redis.down();
    if (forgets) redis.forget();
    const at = kept(forgets ? 'emptied' : 'restarted');
    await sleep(500);
    await redis.up();
    return `after ${at} variants, away for half a second`;
  };
  await measured(
    '... Redis killed and restarted',
    'restarted',
    sweep('restarted', '--queue', redis.url),
    () => restart(false),
  );
  await measured('... Redis killed and empty after', 'emptied', sweep('emptied', '--queue', redis.url), () =>
    restart(true),
  );
  await measured('... one killed by SIGKILL', 'killed', sweep('killed', '--queue', redis.url), async () => {
    first!.kill('SIGKILL');
    return `after ${kept('killed')} variants`;
  });
} finally {
  for (const child of children) child.kill('SIGKILL');
  if (typeof redis !== 'string') await redis.stop();
  rmSync(place, { recursive: true, force: true });
}
