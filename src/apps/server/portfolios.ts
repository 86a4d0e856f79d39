import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openProjections, type ProjectionStore } from '#adapters';
import { askControl, type ControlAnswer, type ControlRequest } from '../runner/control.ts';
import { portfoliosIn } from '../runner/portfolios-in.ts';
import { DATABASE_FILE } from '../runner/projecting.ts';
import { type Portfolios, Problem } from './context.ts';

/** An answer of the loop younger than this is given again: however many ask, the loop is asked four times a second. */
export const ANSWER_MS = 250;
const NAMES_MS = 500;
const ASK_MS = 3_000;
/** How long the server leaves projections alone that could not be opened. */
const REOPEN_MS = 500;

type OperatorQuestion = Extract<ControlRequest, { ask: 'operator' }>;

export interface PortfoliosOptions {
  readonly dataDir: string;
  /** Address of the PostgreSQL database of a portfolio's projections; null: its own SQLite file. */
  readonly databaseUrl: (portfolio: string) => string | null;
  readonly now: () => number;
  /** Hears every act that was sent to a loop and what came of it. */
  readonly onOperator?: (name: string, question: OperatorQuestion, answer: ControlAnswer | null) => void;
  /** Sends an act as part of a trace; absent: it is just sent. */
  readonly traceAct?: (
    name: string,
    question: OperatorQuestion,
    send: (traceparent: string) => Promise<ControlAnswer | null>,
  ) => Promise<ControlAnswer | null>;
}

interface Kept {
  readonly at: number;
  readonly answer: Promise<ControlAnswer | null>;
}

interface Opened {
  readonly store: ProjectionStore;
  /** Of the file, so that another one in its place is noticed. */
  readonly identity: string;
}

/** The portfolios of a data directory: their loops over the control line, their projections read-only. */
export class ReachedPortfolios implements Portfolios {
  private readonly options: PortfoliosOptions;
  private known: { readonly at: number; readonly names: readonly string[] } | null = null;
  private readonly kept = new Map<string, Kept>();
  private readonly opened = new Map<string, Opened>();
  private readonly opening = new Map<string, Promise<Opened>>();
  private readonly failed = new Map<string, { readonly at: number; readonly why: string }>();

  constructor(options: PortfoliosOptions) {
    this.options = options;
  }

  names(): readonly string[] {
    const now = this.options.now();
    if (this.known === null || Math.abs(now - this.known.at) >= NAMES_MS)
      this.known = { at: now, names: portfoliosIn(this.options.dataDir) };
    return this.known.names;
  }

  async choose(named: string | undefined): Promise<string> {
    const names = this.names();
    if (named !== undefined) {
      if (names.includes(named)) return named;
      const mend = names.length === 0 ? 'start one: quorum start' : `there are ${names.join(', ')}`;
      throw new Problem(404, 'not-found', `there is no portfolio "${named.slice(0, 60)}"`, mend);
    }
    const answers = await Promise.all(names.map((name) => this.ask(name, { ask: 'status' })));
    const running = names.find((_, i) => answers[i]?.ok === true) ?? names[0];
    if (running === undefined)
      throw new Problem(404, 'not-found', 'there is no portfolio yet', 'start one: quorum start');
    return running;
  }

  folder(name: string): string {
    return join(this.options.dataDir, name);
  }

  async ask(name: string, question: ControlRequest, timeoutMs = ASK_MS): Promise<ControlAnswer | null> {
    const folder = this.folder(name);
    if (question.ask === 'operator') {
      const { traceAct, onOperator } = this.options;
      const send = (traceparent: string) => sendTraced(folder, { ...question, traceparent }, timeoutMs);
      const answer = await (traceAct === undefined
        ? askControl(folder, question, timeoutMs)
        : traceAct(name, question, send));
      this.forget(name);
      onOperator?.(name, question, answer);
      return answer;
    }
    if (question.ask === 'shutdown') {
      const answer = await askControl(folder, question, timeoutMs);
      this.forget(name);
      return answer;
    }
    const key = `${name}\n${JSON.stringify(question)}`;
    const now = this.options.now();
    const kept = this.kept.get(key);
    if (kept !== undefined && Math.abs(now - kept.at) < ANSWER_MS) return kept.answer;
    const answer = askControl(folder, question, timeoutMs);
    this.keep(key, { at: now, answer });
    return answer;
  }

  async projections(name: string): Promise<ProjectionStore> {
    const identity = this.identityOf(name);
    const open = this.opened.get(name);
    if (open !== undefined && open.identity === identity) return open.store;
    const failed = this.failed.get(name);
    if (failed !== undefined && Math.abs(this.options.now() - failed.at) < REOPEN_MS)
      throw unreachable(failed.why);
    let opening = this.opening.get(name);
    if (opening === undefined) {
      opening = this.open(name, identity).finally(() => this.opening.delete(name));
      this.opening.set(name, opening);
    }
    return (await opening).store;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.opening.values());
    await Promise.allSettled([...this.opened.values()].map(({ store }) => store.close()));
    this.opened.clear();
  }

  /** What was answered before an act says nothing about the time after it. */
  private forget(name: string): void {
    for (const key of this.kept.keys()) if (key.startsWith(`${name}\n`)) this.kept.delete(key);
  }

  private keep(key: string, kept: Kept): void {
    if (this.kept.size > 200) this.kept.clear();
    this.kept.set(key, kept);
  }

  private async open(name: string, identity: string): Promise<Opened> {
    const before = this.opened.get(name);
    this.opened.delete(name);
    await before?.store.close().catch(() => undefined);
    try {
      const file = join(this.folder(name), DATABASE_FILE);
      const store = await openProjections({
        file,
        databaseUrl: this.options.databaseUrl(name),
        readOnly: true,
      });
      const opened = { store, identity };
      this.opened.set(name, opened);
      this.failed.delete(name);
      return opened;
    } catch (error) {
      const why = (error as Error).message;
      this.failed.set(name, { at: this.options.now(), why });
      throw unreachable(why);
    }
  }

  /** Which file the projections are: after `--fresh` another one lies there. Throws {@link Problem} when there is none. */
  private identityOf(name: string): string {
    const url = this.options.databaseUrl(name);
    if (url !== null) return url;
    const found = statSync(join(this.folder(name), DATABASE_FILE), { throwIfNoEntry: false });
    if (found === undefined) throw unreachable('there is no file');
    return `${found.dev}:${found.ino}`;
  }
}

/** A loop that runs since before acts had a trace refuses the word unread: it gets the act without. */
async function sendTraced(
  folder: string,
  question: OperatorQuestion,
  timeoutMs: number,
): Promise<ControlAnswer | null> {
  const answer = await askControl(folder, question, timeoutMs);
  const isUnread = answer?.ok === false && answer.refused === undefined;
  if (!isUnread || !/Unrecognized key.*traceparent/.test(answer.error ?? '')) return answer;
  const { traceparent: _, ...bare } = question;
  return askControl(folder, bare, timeoutMs);
}

function unreachable(why: string): Problem {
  return new Problem(
    503,
    'projections-unreachable',
    `the projections cannot be read: ${why.slice(0, 200)}`,
    'they are written anew from the journal when the loop starts; status, stop, flatten and kill work without them',
  );
}
