import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelRegistry, readJournal } from '#adapters';
import { Chance, MINUTE } from '#base';
import { S1_FEATURE_NAMES } from '#signals';
import type { ControlAnswer, ReadRequest } from '../../../src/apps/runner/control.ts';
import { ControlLine } from '../../../src/apps/runner/control-line.ts';
import { type PortfolioRequest, setUpPortfolio } from '../../../src/apps/runner/portfolio-setup.ts';
import { Session } from '../../../src/apps/runner/session.ts';
import type { ConsoleContext } from '../../../src/apps/server/context.ts';
import { openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import { DEFAULT_ACCOUNT } from '../../../src/apps/setup/configuration.ts';
import { s1Model } from '../../support/s1-model.ts';

export const S1_PORTFOLIO = 's1';
export const S1_FROM = Date.UTC(2024, 0, 1);
/** A day and an hour: the day of the figures is not the first. */
const MINUTES = 1_500;
/** Each commit waits for the disk. */
const COMMIT_MS = 60 * MINUTE;
/** Not where a snapshot is taken. */
const CUT_AT = 437;
/** Chart scripts speak of the first config alone, from here on. */
const PINE_FROM = 600;
const PINE_CONFIG = 'S1_RX68_BTC_1M';
export const PINE_DESK = 's1-rx68-btc-1m';

/** A market that drifts up and down, enough for a model that follows. */
function writeBars(path: string): void {
  const chance = new Chance('s1-console');
  const lines = ['time,open,high,low,close,volume'];
  let price = 50_000;
  for (let i = 0; i < MINUTES; i++) {
    const open = price;
    price *= Math.exp(0.0008 * Math.sin(i / 20) + 0.0003 * chance.normal());
    const high = Math.max(open, price) * 1.0003;
    const low = Math.min(open, price) * 0.9997;
    lines.push([S1_FROM + i * MINUTE, open, high, low, price, 1e6].join(','));
  }
  writeFileSync(path, lines.join('\n'));
}

/** Follows what the last five bars did, as long as it was something. */
function follower() {
  const artefact = s1Model({
    down: { feature: 'r5', below: -0.0003, left: 3, right: 0 },
    none: 0,
    up: { feature: 'r5', below: 0.0003, left: 0, right: 3 },
  });
  return { ...artefact, training: { ...artefact.training, to: S1_FROM } };
}

/** Four configs of S1 that have traded, with a model on record, as the server sees them. */
export interface S1Console {
  readonly root: string;
  readonly modelId: string;
  readonly session: Session;
  readonly context: ConsoleContext;
  /** Open time of the first of the three bars that the script has spoken of. */
  readonly pineFrom: number;
  /** Closed trades as the journal has them. */
  trades(): { readonly desk: string; readonly net: number }[];
  /** The first part of the same in another folder, cut without a clean end in between, and played in one go. */
  interrupted(): Promise<Session>;
  uninterrupted(): Promise<Session>;
  /** Makes a file something else. */
  damage(path: string): void;
  close(): Promise<void>;
}

/** Plays the portfolio up to so many slices; `leave` ends without closing. */
async function play(request: PortfolioRequest, directory: string, to: number): Promise<Session> {
  const setup = await setUpPortfolio(request);
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: 2_000,
    onCommand: () => undefined,
  });
  const tape = setup.tape!;
  tape.seek(session.steps);
  session.begin(session.engine.at > 0 ? session.engine.at : tape.peek()!);
  for (let at = tape.peek(); at !== null && at < S1_FROM + to * MINUTE; at = tape.peek()) {
    while (tape.peek() === at) session.market(tape.next());
    if (at % COMMIT_MS === 0) session.commit();
  }
  session.commit();
  return session;
}

/** What the script sends of a bar that has just ended: two values that are not ours. */
function speak(session: Session): void {
  const { engine } = session;
  const time = engine.at - (engine.at % MINUTE) - MINUTE;
  const value = `{"time":${time},"values":{"rsi14":50,"${S1_FEATURE_NAMES[0]}":0}}`;
  const at = engine.at;
  session.market({
    kind: 'observation-published',
    at,
    eventTime: at,
    source: 'tradingview',
    subject: `pine:${PINE_CONFIG}`,
    value,
    publishedAt: at,
  });
}

export async function s1Console(): Promise<S1Console> {
  const root = mkdtempSync(join(tmpdir(), 'quorum-s1-console-'));
  const bars = join(root, 'bars.csv');
  writeBars(bars);
  const models = join(root, 'models');
  const before = process.env.QUORUM_MODELS;
  process.env.QUORUM_MODELS = models;
  const registry = ModelRegistry.open(models);
  const { id } = registry.register(follower(), [], 'trained', { at: S1_FROM, by: 'test' });
  registry.close();
  // what is tested is that all of it trades
  const parameters = {
    symbol: 'BTC',
    model: id,
    lossesInARow: 10_000,
    dayLossMax: 1,
    groupDayLossMax: 1,
    parityBpMax: 1e6,
  };
  const request: PortfolioRequest = {
    name: S1_PORTFOLIO,
    portfolio: {
      base: 'USDT',
      desks: [{ desk: 's1-momentum', configuration: 'default', parameters }],
      account: 'paper',
      feed: 'recorded',
      seed: '1',
      running: true,
    },
    account: DEFAULT_ACCOUNT,
    feed: { kind: 'recorded', bars: [`BTCUSDT.BINANCE-USDM=${bars}`], funding: [] },
  };
  const folder = join(root, 'data', S1_PORTFOLIO);
  const session = await play(request, folder, PINE_FROM);
  const { setup } = session;
  const tape = setup.tape!;
  for (let at = tape.peek(); at !== null; at = tape.peek()) {
    if (at < S1_FROM + (PINE_FROM + 3) * MINUTE) speak(session);
    while (tape.peek() === at) session.market(tape.next());
    if (at % COMMIT_MS === 0) session.commit();
  }
  session.commit();
  const line = new ControlLine({
    session,
    status: () => {
      throw new Error('nobody asks');
    },
    feed: () => 'tape',
    tape: () => null,
    feedQueue: () => 0,
    projector: () => null,
    now: () => session.engine.at,
    end: () => undefined,
  });
  const store = openConsoleStore(':memory:');
  // as over the control line, but for the socket, which a worker thread may not open
  const asJson = (answer: ControlAnswer) => JSON.parse(JSON.stringify(answer)) as ControlAnswer;
  const portfolios = {
    names: () => [S1_PORTFOLIO],
    choose: async () => S1_PORTFOLIO,
    folder: () => folder,
    ask: async (_: string, asked: ReadRequest) => asJson(line.answer(asked)),
  };
  const context = {
    dataDir: join(root, 'data'),
    configFile: null,
    portfolios,
    store,
    now: Date.now,
    announce: () => undefined,
    audit: async () => undefined,
  } as unknown as ConsoleContext;
  const others: Session[] = [];
  const kept = (one: Session) => {
    others.push(one);
    return one;
  };
  return {
    root,
    modelId: id,
    session,
    context,
    pineFrom: S1_FROM + (PINE_FROM - 2) * MINUTE,
    trades: () =>
      [...readJournal(join(folder, 'journal'))]
        .filter(({ kind, text }) => kind === 'note' && text.startsWith('{"note":"trade"'))
        .map(({ text }) => JSON.parse(text) as { desk: string; trade: { net: number } })
        .map(({ desk, trade }) => ({ desk, net: trade.net })),
    interrupted: async () => {
      const directory = join(root, 'cut', S1_PORTFOLIO);
      const cut = await play(request, directory, CUT_AT);
      cut.journal.file.abandon();
      return kept(await play(request, directory, PINE_FROM));
    },
    uninterrupted: async () => kept(await play(request, join(root, 'whole', S1_PORTFOLIO), PINE_FROM)),
    damage: (path) => writeFileSync(path, 'no database'),
    close: async () => {
      line.close();
      store.close();
      for (const one of others) one.abandon();
      session.abandon();
      if (before === undefined) delete process.env.QUORUM_MODELS;
      else process.env.QUORUM_MODELS = before;
      rmSync(root, { recursive: true, force: true });
    },
  };
}
