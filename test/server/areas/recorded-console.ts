import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { assert } from '#base';
import { ROUTES, type RouteId } from '../../../src/apps/contract/index.ts';
import { askAbout, askControl } from '../../../src/apps/runner/control.ts';
import type { Call, ConsoleContext, Who } from '../../../src/apps/server/context.ts';
import { openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import { ReachedPortfolios } from '../../../src/apps/server/portfolios.ts';

export const PORTFOLIO = 'demo';

/** A running portfolio that has come to the end of its tape, and what handlers are given to look at it. */
export interface RecordedConsole {
  readonly context: ConsoleContext;
  readonly dataDir: string;
  readonly audited: { what: string; by: string; reason: string }[];
  /** Ends the loop; what it left stays. */
  stop(): Promise<void>;
  /** Ends everything and removes it. */
  close(): Promise<void>;
}

/** Plays a portfolio in a process of its own and waits until its tape is over and all of it is projected. */
export async function recordedConsole(steps = 9_576): Promise<RecordedConsole> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorum-console-'));
  const script = fileURLToPath(new URL('loop-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, String(steps)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const folder = join(dataDir, PORTFOLIO);
  for (;;) {
    assert(child.exitCode === null, 'the loop ended early');
    const status = await askAbout(folder, 'status');
    if (status?.tape?.over === true && status.projections?.behind === false) break;
    await sleep(50);
  }
  const store = openConsoleStore(':memory:');
  const portfolios = new ReachedPortfolios({ dataDir, databaseUrl: () => null, now: Date.now });
  const audited: RecordedConsole['audited'] = [];
  const context = {
    dataDir,
    configFile: null,
    portfolios,
    store,
    now: Date.now,
    announce: () => undefined,
    audit: async (entry: RecordedConsole['audited'][number]) => void audited.push(entry),
  } as unknown as ConsoleContext;
  let ended = false;
  const stop = async () => {
    if (ended) return;
    ended = true;
    await askControl(folder, { ask: 'shutdown' });
    await gone;
  };
  return {
    context,
    dataDir,
    audited,
    stop,
    close: async () => {
      await stop();
      await portfolios.close();
      store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export const ADA: Who = {
  id: 'u1',
  name: 'ada',
  role: 'administrator',
  scopes: ['read', 'trade', 'admin'],
  via: 'session',
  credential: 's1',
} as Who;

export const callBy = (who: Who | null = ADA): Call => ({
  who,
  address: '127.0.0.1',
  agent: 'test',
  signal: new AbortController().signal,
  header: () => undefined,
});

type Handler = (asked: never, call: Call) => unknown;

/**
 * Calls a handler as the server does: what is sent goes through the schemas of the route, and so does what comes back.
 * Throws what the handler throws.
 */
export function caller<H extends { readonly [K in RouteId]?: unknown }>(handlers: H, who: Who | null = ADA) {
  return async <K extends keyof H & RouteId>(
    id: K,
    sent: { readonly params?: unknown; readonly query?: unknown; readonly body?: unknown } = {},
  ) => {
    const shape = ROUTES[id] as {
      readonly params?: z.ZodType;
      readonly query?: z.ZodType;
      readonly body?: z.ZodType;
      readonly answer: z.ZodType;
    };
    const asked = {
      params: shape.params?.parse(sent.params ?? {}),
      query: shape.query?.parse(sent.query ?? {}),
      body: shape.body?.parse(sent.body),
    };
    const answer = await (handlers[id] as Handler)(asked as never, callBy(who));
    return shape.answer.parse(answer) as z.output<(typeof ROUTES)[K]['answer'] & z.ZodType>;
  };
}
