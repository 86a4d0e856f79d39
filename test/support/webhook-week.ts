import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BarStore, openBars, readJournal, setClockFile } from '#adapters';
import { Chance, floorTo, type Instant, MINUTE, SECOND } from '#base';
import type { JournalEntry } from '#engine';
import { ingestFolder, ingestSettings, openStreams } from '../../src/apps/ingest/ingest-settings.ts';
import type { WebhookFeed } from '../../src/apps/ingest/webhook-feed.ts';
import { askControl } from '../../src/apps/runner/control.ts';
import type { Status } from '../../src/apps/runner/status.ts';
import { checkConfiguration } from '../../src/apps/setup/configuration.ts';
import { TwelveDataLoopback } from '../adapters/twelve-data-loopback.ts';
import { Child } from '../program/child.ts';
import { KlinesLoopback } from './klines-loopback.ts';
import { WebhookSender } from './webhook-sender.ts';
import { WEEK_SYMBOLS, type WebhookTape } from './webhook-tape.ts';
import { FEED, PORTFOLIO, writeWeekConfiguration } from './webhook-week-configuration.ts';

const SECRET = 'a-secret-of-the-rehearsal';
const KEY = 'a-key-of-the-rehearsal-0123456789';
const DATA_KEY = 'key-of-the-provider';
/** Real milliseconds that anything may take on a busy machine. */
const PATIENCE_MS = 60_000;
/** So long nothing is thought of it, and so far the clock goes within a minute. */
const LONG_MS = 2_000;
const LATE_MOST_MS = 50_000;
/** Bars before the newest that are looked for one by one; those before them were. */
const LOOK_BACK = 20;

export interface WeekOptions {
  readonly tape: WebhookTape;
  /** Connection strings; null: the embedded queue and store. */
  readonly servers: { readonly redis: string; readonly database: string } | null;
  readonly minutes: number;
  readonly seed: string;
  readonly workers: number;
  /** Symbols whose volumes nobody can look up; desks hold behind a bar of theirs that was dropped. */
  readonly silent?: readonly string[];
  /** Minutes between kills of a worker, of the endpoint and of the loop. */
  readonly killEvery: { readonly worker: number; readonly endpoint: number; readonly loop: number };
  readonly say?: (line: string) => void;
}

/** What was done to the bars on their way. */
export interface Mishaps {
  sent: number;
  dropped: number;
  delayed: number;
  repeated: number;
  changed: number;
  /** Requests that met no endpoint, after all attempts. */
  unheard: number;
  workersKilled: number;
  endpointsKilled: number;
  loopsKilled: number;
}

interface Letter {
  readonly config: string;
  readonly time: Instant;
  readonly body: string;
  /** Says something else than the letter before it, and is sent only when that one was heard. */
  readonly isOther?: boolean;
}

/**
 * A stretch of market for all sixteen configs through the real programs: signed requests to the endpoint, queue, workers, store
 * and the loop that trades on paper, each a process that may be killed at any time. Their clock stands until everything of a
 * minute has been dealt with, so a slow machine sees the same market as a fast one.
 */
export class WebhookWeek {
  readonly mishaps: Mishaps = {
    sent: 0,
    dropped: 0,
    delayed: 0,
    repeated: 0,
    changed: 0,
    unheard: 0,
    workersKilled: 0,
    endpointsKilled: 0,
    loopsKilled: 0,
  };
  readonly place = mkdtempSync(join(tmpdir(), 'quorum-week-'));
  readonly dataDir = join(this.place, 'data');
  readonly options: WeekOptions;
  private readonly chance: Chance;
  private readonly clockPath = join(this.place, 'clock');
  private readonly sender = new WebhookSender(SECRET, KEY);
  private readonly children: Child[] = [];
  private workers: Child[] = [];
  private endpoint: Child | null = null;
  private loop: Child | null = null;
  private provider: TwelveDataLoopback | null = null;
  private fallback: KlinesLoopback | null = null;
  store: BarStore | null = null;
  private port = 0;
  private now: Instant;
  private late = new Map<Instant, Letter[]>();
  /** Newest bar of each config that the endpoint took. */
  private readonly heard = new Map<string, Instant>();
  private readonly heardOf = new Set<string>();
  /** Bars of each config in the store that open since the start, and how far the store was read. */
  private readonly stored = new Map<string, Set<Instant>>();
  private readTo = 0;
  private storedBars = 0;
  /** Bars the loop had taken before the first was posted. */
  private loopBars = 0;

  constructor(options: WeekOptions) {
    this.options = options;
    this.chance = new Chance(options.seed);
    this.now = options.tape.start;
  }

  get end(): Instant {
    return this.options.tape.start + this.options.minutes * MINUTE;
  }

  get portfolioFolder(): string {
    return join(this.dataDir, PORTFOLIO);
  }

  /** Opens everything and gives the loop its history. */
  async open(): Promise<void> {
    const { tape, servers, workers, silent = [] } = this.options;
    setClockFile(this.clockPath, this.now);
    const now = () => Math.min(this.now, this.end);
    this.provider = await new TwelveDataLoopback({
      now,
      key: DATA_KEY,
      symbols: WEEK_SYMBOLS.map((symbol) => `${symbol}/USD`),
      // what lies behind the end is not looked up
      minute: (symbol, time) => (time < this.end ? tape.minute(symbol.slice(0, 3), time) : null),
      perMinute: 1e9,
      perDay: 1e9,
    }).start();
    this.fallback = await new KlinesLoopback({
      now,
      symbols: WEEK_SYMBOLS.filter((symbol) => !silent.includes(symbol)).map((symbol) => `${symbol}USDT`),
      bar: (symbol, intervalMs, time) => tape.bars(symbol.slice(0, 3), intervalMs)?.get(time) ?? null,
    }).start();
    const urls = { provider: this.provider.url, fallback: this.fallback.url };
    writeWeekConfiguration(this.place, tape.start, urls, servers !== null);
    const file = join(this.dataDir, 'ingest', FEED, 'bars.sqlite');
    this.store = await openBars({ file, databaseUrl: servers?.database ?? null });
    this.loop = this.startLoop();
    await this.loop.until(() => this.loop!.stdout.includes('warm-up: '), 'the warm-up');
    this.readTo = await this.store.lastSeq();
    this.loopBars = await this.patiently('the loop', async () => this.barsTaken());
    for (let i = 0; i < workers; i++) this.workers.push(this.startWorker());
    await this.startEndpoint();
  }

  /** Lives through the whole stretch; afterwards what was dropped at its end is looked up. */
  async run(): Promise<void> {
    const { tape, minutes, say } = this.options;
    for (let minute = 1; minute <= minutes; minute++) {
      await this.live(tape.start + minute * MINUTE);
      if (say !== undefined && minute % 360 === 0)
        say(`${minute / 60} hours: ${await this.store!.lastSeq()} bars, ${JSON.stringify(this.mishaps)}`);
    }
    for (const [, letters] of this.late) await this.post(letters);
    const last = new Map(
      tape.series.map(({ id, intervalMs }) => [id, floorTo(this.end, intervalMs) - intervalMs]),
    );
    await this.patiently('the end', () => {
      this.setClock(this.now + 5 * SECOND);
      return this.hasAll(last);
    });
    await this.patiently('the loop at the end', () => this.loopHasTaken());
  }

  /** Ends the loop as a person does, and everything else. */
  async endAll(): Promise<void> {
    const { loop } = this;
    loop?.kill('SIGTERM');
    if (loop !== null) await loop.ended;
    for (const child of [...this.workers, this.endpoint]) child?.kill('SIGTERM');
    await Promise.all([...this.workers, this.endpoint].map((child) => child?.ended));
  }

  /** Whatever is still there, after a failure too. */
  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(this.children.map((child) => child.ended));
    this.sender.close();
    await this.store?.close();
    await this.provider?.stop();
    await this.fallback?.stop();
    rmSync(this.place, { recursive: true, force: true });
  }

  /** Everything that closes at an instant, and what was held back until then. */
  private async live(at: Instant): Promise<void> {
    const { tape } = this.options;
    await this.disturb(Math.round((at - tape.start) / MINUTE));
    this.setClock(at + 300);
    const letters = this.late.get(at) ?? [];
    this.late.delete(at);
    for (const { id, intervalMs } of tape.series) {
      if (at % intervalMs !== 0) continue;
      letters.push(...this.letters(id, at - intervalMs, at));
    }
    await this.post(this.shuffled(letters));
    // bars that are out of order have waited long enough
    this.setClock(at + 2_300);
    await this.patiently('the store', () => this.hasAll(this.heard), at + 2_300);
    if (this.loop !== null) await this.patiently('the loop', () => this.loopHasTaken());
  }

  /** Whether the store has every bar of each config up to the newest of it. */
  private async hasAll(newest: ReadonlyMap<string, Instant>): Promise<true | null> {
    const { tape } = this.options;
    for (const { config, time, seq } of await this.store!.readFrom(this.readTo, 10_000, null)) {
      this.readTo = seq;
      this.storedBars += 1;
      this.stored.set(config, (this.stored.get(config) ?? new Set()).add(time));
    }
    const hasAll = tape.series.every(({ id, intervalMs }) => {
      const last = newest.get(id);
      if (last === undefined) return true;
      const times = this.stored.get(id);
      const count = (last - tape.start) / intervalMs + 1;
      if (times === undefined || times.size < count) return false;
      for (
        let time = last, looked = 0;
        time >= tape.start && looked < LOOK_BACK;
        time -= intervalMs, looked++
      )
        if (!times.has(time)) return false;
      return true;
    });
    return hasAll ? true : null;
  }

  /** What is sent of a bar now: nothing, itself, or more than that. */
  private letters(config: string, time: Instant, at: Instant): Letter[] {
    const { chance, mishaps, options } = this;
    const bar = options.tape.bar(config, time);
    const bodyOf = (close: number) => {
      const { open, high, low, volume } = bar;
      const pine = { rsi: 50 };
      return JSON.stringify({ config_id: config, bar_time: time, open, high, low, close, volume, pine });
    };
    const letter = { config, time, body: bodyOf(bar.close) };
    const fate = chance.uniform();
    if (fate < 0.03) {
      mishaps.dropped += 1;
      return [];
    }
    if (fate < 0.07) {
      mishaps.delayed += 1;
      const due = at + (1 + chance.below(4)) * MINUTE;
      this.late.set(due, [...(this.late.get(due) ?? []), letter]);
      return [];
    }
    if (fate < 0.12) {
      mishaps.repeated += 1;
      return [letter, letter];
    }
    if (fate < 0.13) {
      mishaps.changed += 1;
      // later, so that which of them is the first is no matter of chance
      const other = { ...letter, body: bodyOf((bar.close + bar.low) / 2), isOther: true };
      this.late.set(at + MINUTE, [...(this.late.get(at + MINUTE) ?? []), other]);
    }
    return [letter];
  }

  private shuffled<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.chance.below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }

  private async post(letters: readonly Letter[]): Promise<void> {
    await Promise.all(
      letters.map(async (letter) => {
        const key = `${letter.config} ${letter.time}`;
        if (letter.isOther === true && !this.heardOf.has(key)) return;
        this.mishaps.sent += 1;
        // a sender tries three times, as TradingView does
        for (let attempt = 0; attempt < 3; attempt++) {
          const status = await this.sender.send(this.port, letter.body, this.now);
          if (status === 202 || status === 200) {
            const before = this.heard.get(letter.config) ?? letter.time;
            this.heard.set(letter.config, Math.max(before, letter.time));
            this.heardOf.add(key);
            return;
          }
          if (status !== null && status < 500)
            throw new Error(`the endpoint answered ${status}: ${letter.body}`);
          await sleep(20);
        }
        this.mishaps.unheard += 1;
      }),
    );
  }

  /** Kills what is due; all but the loop are there again at once, the loop some minutes later. */
  private async disturb(minute: number): Promise<void> {
    const { killEvery } = this.options;
    const { mishaps } = this;
    if (minute % killEvery.worker === 0) {
      const i = this.chance.below(this.workers.length);
      this.workers[i]!.kill('SIGKILL');
      this.workers[i] = this.startWorker();
      mishaps.workersKilled += 1;
    }
    if (minute % killEvery.endpoint === 0) {
      this.endpoint!.kill('SIGKILL');
      // its place must be free again
      await this.endpoint!.ended;
      // not waited for: what is sent meanwhile meets nobody
      this.reopened = this.startEndpoint();
      mishaps.endpointsKilled += 1;
    } else if (minute % killEvery.endpoint === 2) await this.reopened;
    if (minute % killEvery.loop === 0) {
      this.loop!.kill('SIGKILL');
      await this.loop!.ended;
      this.loop = null;
      mishaps.loopsKilled += 1;
    } else if (this.loop === null && minute % killEvery.loop === 7) {
      this.loop = this.startLoop();
    }
  }
  private reopened: Promise<void> = Promise.resolve();

  private startWorker(): Child {
    return this.start('ingest', '--role', 'worker', ...this.shared());
  }

  private async startEndpoint(): Promise<void> {
    const endpoint = this.start('ingest', '--role', 'endpoint', ...this.shared());
    this.endpoint = endpoint;
    await endpoint.until(() => /webhook\/\.\.\./.test(endpoint.stdout), 'the endpoint');
    this.port = Number(/http:\/\/127\.0\.0\.1:(\d+)\//.exec(endpoint.stdout)![1]);
  }

  private startLoop(): Child {
    const args = ['--data-dir', 'data', '--clock-file', this.clockPath, '--no-console'];
    return this.start('start', ...args);
  }

  private shared(): string[] {
    // another worker's entries are taken over soon: a kill is to be made good within the minute
    const rules = JSON.stringify({ claimIdleMs: 1_000, claimEveryMs: 200 });
    return ['--data-dir', 'data', '--clock-file', this.clockPath, '--rules', rules];
  }

  private get env(): Record<string, string> {
    const { servers } = this.options;
    return {
      QUORUM_INGEST_SECRET: SECRET,
      REHEARSAL_KEY: KEY,
      REHEARSAL_DATA_KEY: DATA_KEY,
      REHEARSAL_REDIS: servers?.redis ?? '',
      REHEARSAL_DATABASE: servers?.database ?? '',
    };
  }

  private start(...args: string[]): Child {
    const child = new Child(args, { cwd: this.place, env: this.env });
    this.children.push(child);
    return child;
  }

  private setClock(at: Instant): void {
    this.now = at;
    setClockFile(this.clockPath, at);
  }

  private async barsTaken(): Promise<number | null> {
    const answer = await askControl(this.portfolioFolder, { ask: 'status' });
    if (answer?.ok !== true) return null;
    const { counts } = answer.status as Status;
    return counts.bars as number;
  }

  private async loopHasTaken(): Promise<true | null> {
    const taken = await this.barsTaken();
    return taken !== null && taken - this.loopBars >= this.storedBars ? true : null;
  }

  /** With `clock`, as it stands: it goes on when this takes long, for whoever tries again after a while. */
  private async patiently<T>(what: string, ask: () => Promise<T | null>, clock?: Instant): Promise<T> {
    const from = performance.now();
    for (;;) {
      const answer = await ask();
      if (answer !== null) return answer;
      const waited = performance.now() - from;
      if (clock !== undefined && waited > LONG_MS)
        this.setClock(clock + Math.floor(Math.min(waited - LONG_MS, LATE_MOST_MS)));
      if (waited > PATIENCE_MS) throw new Error(`waited in vain for ${what}: ${await this.standing()}`);
      await sleep(2);
    }
  }

  /** What can be said of everything, for whoever looks for a fault. */
  private async standing(): Promise<string> {
    const said = (child: Child | null) =>
      child === null ? 'down' : `${child.stdout.slice(-1_500)}${child.stderr.slice(-1_500)}`;
    const lines = [...this.workers, this.endpoint, this.loop].map((child, i) => `-- ${i}\n${said(child)}`);
    const heard = JSON.stringify([...this.heard]);
    const taken = (await this.barsTaken()) ?? Number.NaN;
    return `${this.storedBars} bars, ${taken - this.loopBars} in the loop, ${heard}, ${JSON.stringify(this.mishaps)}\n${lines.join('\n')}`;
  }

  /** Entries of the loop's journal. */
  journal(): Generator<JournalEntry> {
    return readJournal(join(this.portfolioFolder, 'journal'));
  }

  /** What nobody could use, in words. */
  async deadLetters(): Promise<string[]> {
    const { feeds } = checkConfiguration(
      JSON.parse(readFileSync(join(this.place, 'quorum.config.json'), 'utf8')),
      'quorum.config.json',
    );
    const feed = feeds[FEED] as WebhookFeed;
    const streams = await openStreams(ingestSettings(feed, ingestFolder(this.dataDir, FEED), this.env));
    try {
      return (await streams.deadLetters(100)).map((one) => `${one.stream} ${one.entryId}: ${one.reason}`);
    } finally {
      await streams.close();
    }
  }
}
