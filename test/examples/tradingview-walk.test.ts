import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../src/apps/setup/configuration.ts';
import { blocksOf, Clone, read } from './support/clone.ts';
import { environmentIn, ran } from './support/command-line.ts';

const PAGE = 'docs/tradingview.md';
const PATIENCE_MS = 60_000;
const SOURCED = '. ./quorum.env';

let clone: Clone;
let program: ChildProcess | null = null;

beforeAll(() => {
  clone = new Clone();
});
afterAll(async () => {
  if (program !== null && program.exitCode === null) {
    const ended = new Promise((resolve) => program!.once('exit', resolve));
    program.kill('SIGKILL');
    await ended;
  }
  clone.remove();
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** A portfolio runs on beside the reader: what it says until it takes bars. */
async function started(script: string): Promise<string> {
  // the shell gives way to the program, so that it can be ended
  const own = script.replace('npx quorum', `exec ${process.execPath} bin/quorum.js`);
  program = spawn('bash', ['-c', `${own} --no-console`], {
    cwd: clone.path,
    env: environmentIn(clone.path),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [program.stdout!, program.stderr!])
    stream.on('data', (chunk) => (said += String(chunk)));
  const until = performance.now() + PATIENCE_MS;
  while (!said.includes('bars are taken at')) {
    if (performance.now() > until || program.exitCode !== null) throw new Error(`it did not start: ${said}`);
    await sleep(20);
  }
  return said;
}

describe('the page about TradingView', () => {
  it('leads from posted bars to a paper trade, and prints what it says', async () => {
    const port = String(await freePort());
    const local = (text: string) => text.replaceAll('4690', port);
    const whole = read(PAGE);
    const rehearsal = whole.slice(
      whole.indexOf('## Rehearse it here'),
      whole.indexOf('## Configure the real one'),
    );
    let printed = '';
    // a terminal keeps what was read into its environment
    let environment = '';
    for (const { language, text } of blocksOf(rehearsal)) {
      if (language === 'json') writeFileSync(join(clone.path, 'rehearsal.json'), local(text));
      else if (language === 'sh') {
        if (text.includes(SOURCED)) environment = `set -a; ${SOURCED}; set +a\n`;
        if (text.includes('quorum start')) {
          printed = await started(text.trimEnd());
          continue;
        }
        const { code, stdout, stderr } = await ran('bash', ['-e', '-c', environment + text], clone.path);
        expect(code, `${text}\n${stdout}\n${stderr}`).toBe(0);
        printed = stdout;
      } else {
        expect(language).toBe('');
        let from = 0;
        for (const line of local(text)
          .split('\n')
          .filter((one) => one !== '')) {
          const at = `\n${printed}`.indexOf(`\n${line}`, from);
          expect(at, `"${line}" is quoted and not printed (here) in:\n${printed}`).toBeGreaterThanOrEqual(0);
          from = at + line.length;
        }
      }
    }
  }, 240_000);

  it('shows configurations that are ones', () => {
    for (const { language, text } of blocksOf(read(PAGE)))
      if (language === 'json') expect(() => checkConfiguration(JSON.parse(text), PAGE)).not.toThrow();
  });

  it('names refusals that there are', () => {
    const answers = read('src/adapters/ingest/webhook-answers.ts') + read('src/adapters/ingest/bar-body.ts');
    const [, table] = /\| answer \| means \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(read(PAGE))!;
    const words = [...table!.matchAll(/`([a-z-]+)`/g)].map(([, word]) => word!);
    expect(words.length).toBeGreaterThan(8);
    for (const word of words.filter((one) => one !== 'allow' && one !== 'proxies' && one !== 'duplicate'))
      expect(answers, word).toMatch(new RegExp(`'${word}'`));
  });
});
