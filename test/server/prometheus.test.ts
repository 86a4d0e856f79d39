import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askControl } from '../../src/apps/runner/control.ts';
import { METRICS } from '../../src/apps/server/metrics/index.ts';

const TOOLS = ['/usr/bin/prometheus', '/usr/bin/prometheus-alertmanager'] as const;
const arePresent = TOOLS.every((path) => existsSync(path));
if (!arePresent)
  process.stdout.write(
    'skipped: real Prometheus and Alertmanager (install prometheus, prometheus-alertmanager)\n',
  );

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ops = (path: string) => readFileSync(file(`ops/${path}`), 'utf8');

interface Notice {
  readonly status: string;
  readonly alerts: readonly {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  }[];
}

/** A port nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function until<T>(what: string, look: () => Promise<T | null>, ms = 60_000): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) {
    const found = await look().catch(() => null);
    if (found !== null) return found;
  }
  throw new Error(`${what} did not come`);
}

describe.skipIf(!arePresent)('the shipped configuration in real Prometheus and Alertmanager', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-prometheus-'));
  const children: ChildProcess[] = [];
  const notices: Notice[] = [];
  let receiver: Server;
  let prometheus = '';

  const run = (path: string, args: string[], cwd = folder) => {
    const child = spawn(path, args, { cwd, stdio: 'ignore' });
    children.push(child);
  };

  beforeAll(async () => {
    receiver = createServer((request, answer) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        notices.push(JSON.parse(text) as Notice);
        answer.end();
      });
    });
    await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
    const hook = (receiver.address() as AddressInfo).port;
    const [consolePort, promPort, alertPort] = [await freePort(), await freePort(), await freePort()];
    // only addresses and the pace differ from what is shipped
    mkdirSync(join(folder, 'rules'));
    const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
    const config = ops('prometheus/prometheus.yml');
    put(
      'prometheus.yml',
      config
        .replace('127.0.0.1:4680', `127.0.0.1:${consolePort}`)
        .replace('127.0.0.1:9093', `127.0.0.1:${alertPort}`)
        .replaceAll('15s', '1s'),
    );
    put('quorum.rules.yml', ops('prometheus/quorum.rules.yml'));
    put(
      'alertmanager.yml',
      ops('alertmanager/alertmanager.yml').replace('127.0.0.1:9095', `127.0.0.1:${hook}`),
    );
    prometheus = `http://127.0.0.1:${promPort}`;
    const start = ['start', '--demo', '--speed', '20', '--data-dir', folder, '--port', String(consolePort)];
    run(process.execPath, [file('bin/quorum.js'), ...start], file('.'));
    run(TOOLS[1], [
      '--config.file=alertmanager.yml',
      '--storage.path=alertmanager',
      `--web.listen-address=127.0.0.1:${alertPort}`,
      '--cluster.listen-address=',
    ]);
    run(TOOLS[0], [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=prometheus',
      `--web.listen-address=127.0.0.1:${promPort}`,
    ]);
  });

  afterAll(async () => {
    await Promise.all(
      children.map((child) => {
        const ended = new Promise((over) => child.once('exit', over));
        child.kill('SIGTERM');
        return ended;
      }),
    );
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const query = async (
    expr: string,
  ): Promise<{ metric: Record<string, string>; value: [number, string] }[]> => {
    const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result;
  };

  it('scrapes the running program', async () => {
    const up = await until('the first scrape', async () => {
      const [found] = await query('quorum_up{portfolio="demo"} == 1');
      return found ?? null;
    });
    expect(up.metric.job).toBe('quorum');
    const [healthy] = await query('up{job="quorum"}');
    expect(healthy!.value[1]).toBe('1');
  });

  it('knows every metric by its shipped name and type', async () => {
    // each type's metadata comes with a scrape
    const known = await until('metadata', async () => {
      const answer = await fetch(`${prometheus}/api/v1/metadata`);
      const { data } = (await answer.json()) as { data: Record<string, { type: string }[]> };
      return 'quorum_equity' in data ? data : null;
    });
    const names = Object.keys(known).filter((name) => name.startsWith('quorum_'));
    expect(names.length).toBeGreaterThan(30);
    const table: Record<string, { type: string }> = METRICS;
    for (const name of names) expect([name, known[name]![0]!.type]).toEqual([name, table[name]?.type]);
  });

  it('loads the rules, all without errors', async () => {
    const answer = await fetch(`${prometheus}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const rules = data.groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    await until('an evaluation of all', async () => {
      const again = (await (await fetch(`${prometheus}/api/v1/rules`)).json()) as typeof answer & {
        data: typeof data;
      };
      const healths = again.data.groups.flatMap((group) => group.rules.map((rule) => rule.health));
      expect(healths).not.toContain('err');
      return healths.every((health) => health === 'ok') ? true : null;
    });
  });

  it('fires through Alertmanager when the kill switch opens the breaker', async () => {
    const act = { ask: 'operator', by: 'test', reason: 'a test alert', act: { action: 'kill' } } as const;
    const answer = await askControl(join(folder, 'demo'), act);
    expect(answer?.ok).toBe(true);
    const notice = await until('the notice', async () => {
      const found = notices.flatMap((n) => (n.status === 'firing' ? n.alerts : []));
      return found.find((alert) => alert.labels.alertname === 'QuorumBreakerOpen') ?? null;
    });
    expect(notice.labels).toMatchObject({ severity: 'critical', portfolio: 'demo' });
    expect(notice.annotations.summary).toBe('The breaker of demo has stopped entries');
  });
});
