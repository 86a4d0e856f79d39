import { join } from 'node:path';
import { type FeedClock, type ProjectorState, systemClock } from '#adapters';
import { formatInstant, type Instant, SECOND } from '#base';
import type { Command, TraceLine } from '#engine';
import { plain } from '../cli/plain-text.ts';
import type { IngestFigures } from '../ingest/ingest-figures.ts';
import type { IngestSettings } from '../ingest/ingest-settings.ts';
import type { Traces } from '../traces/traces.ts';
import { serveControl } from './control.ts';
import { ControlLine } from './control-line.ts';
import { LiveDriver } from './live-driver.ts';
import { openLive } from './live-venue-of.ts';
import { LogLines } from './log-lines.ts';
import { ModelWatch } from './model-watch.ts';
import { type ObservationPublisher, outletInto } from './observation-publisher.ts';
import { type ConsolePlace, panelLines, statusLine } from './panel.ts';
import type { PaperSetup } from './portfolio-setup.ts';
import { projectPortfolio } from './projecting.ts';
import { markOf } from './run-mode.ts';
import { Screen } from './screen.ts';
import { Session } from './session.ts';
import { type Status, statusOf } from './status.ts';
import { playTape } from './tape-driver.ts';
import { TextLog } from './text-log.ts';
import { TurnTrace } from './turn-trace.ts';
import { openWebhookDriver } from './webhook-driver.ts';

export interface RunPaperOptions {
  readonly setup: PaperSetup;
  readonly dataDir: string;
  readonly fresh: boolean;
  /** Slices a second of a tape; null: the default of its kind. */
  readonly speed: number | null;
  readonly databaseUrl: string | null;
  /** End when a tape is over instead of idling, or after this many slices. */
  readonly once: boolean;
  readonly slicesMax: number | null;
  /** End after so much wall time; null: never. */
  readonly forMs: number | null;
  readonly snapshotEvery: number;
  /** Where lines for people go. */
  readonly say: (line: string) => void;
  /** Redraw a panel here instead of saying lines; null: lines. */
  readonly screen: NodeJS.WriteStream | null;
  /** Where the bars of a webhook feed are; null of any other. */
  readonly ingest?: IngestSettings | null;
  /** How an ingestion beside the loop stands, as it last told. */
  readonly ingestFigures?: () => IngestFigures | null;
  /** Time of a live feed; that of the system unless given. */
  readonly clock?: FeedClock;
  /** What brings observations from beside a live feed; started with the run, closed before its journal. */
  readonly publishers?: readonly ObservationPublisher[];
  /** The console that shows this portfolio, named under the panel; asked at each drawing. Absent or null: none. */
  readonly console?: () => ConsolePlace | null;
  /** Told once, when the portfolio is about to run: what else this process runs may speak through it. */
  readonly onVoice?: (voice: Voice) => void;
  /** Where turns that decided something are told; null or absent: nowhere. Closed by who opened it. */
  readonly traces?: Traces | null;
}

/** How companions of the loop reach the person at the terminal. */
export interface Voice {
  /** A line for people and for the log. */
  readonly tell: (line: string) => void;
  /** A line for the person at the terminal alone: it is kept nowhere. */
  readonly whisper: (line: string) => void;
}

export type Ending = 'finished' | 'asked' | 'interrupted' | 'terminated' | 'time';

export interface RunPaperResult {
  readonly ending: Ending;
  readonly status: Status;
}

/** Slices a second unless somebody chooses: recorded days pass quickly, made-up five minutes once a second. */
const SPEEDS = { REPLAY: 5, SYNTHETIC: 1, PAPER: 0 } as const;
const REDRAW_MS = 500;
const LINE_EVERY_MS = 5 * SECOND;

/** Runs a portfolio on paper until it is over or someone ends it. Everything that happened survives any end. */
export async function runPaper(options: RunPaperOptions): Promise<RunPaperResult> {
  const program = new Program(options);
  return program.run();
}

class Program {
  private readonly options: RunPaperOptions;
  private readonly directory: string;
  private readonly log: TextLog;
  private readonly session: Session;
  private readonly abort = new AbortController();
  private ending: Ending = 'finished';
  private screen: Screen | null = null;
  private lineAt = 0;
  private live: Pick<LiveDriver, 'run' | 'status' | 'queued'> | null = null;
  private tapeOver = false;
  private projector: (() => ProjectorState) | null = null;
  private readonly line: ControlLine;
  private models: ModelWatch | null = null;
  private begun = false;
  private killAsked = false;
  /** What a step of a publisher threw. */
  private broken: unknown = null;

  constructor(options: RunPaperOptions) {
    const { setup, dataDir, fresh, snapshotEvery } = options;
    this.options = options;
    this.directory = join(dataDir, setup.name);
    this.log = new TextLog(join(dataDir, 'quorum.log'));
    // before a long journal is folded: unheard, the signal would end the program and leave its positions to nobody
    if (process.platform !== 'win32') process.on('SIGUSR2', this.kill);
    try {
      this.session = new Session({
        setup,
        directory: this.directory,
        fresh,
        snapshotEvery,
        onCommand: (command, at) => this.heed(command, at),
      });
    } catch (error) {
      process.off('SIGUSR2', this.kill);
      throw error;
    }
    const { session } = this;
    if (options.traces != null) session.times.trace = new TurnTrace(options.traces, setup.name);
    this.line = new ControlLine({
      session,
      status: () => this.status(),
      feed: () => this.feedStatus,
      tape: () => this.tape,
      feedQueue: () => this.live?.queued ?? 0,
      projector: () => this.projector?.() ?? null,
      ingest: () => options.ingestFigures?.() ?? null,
      now: () => (this.live === null ? session.engine.at : Math.max(this.now(), session.engine.at)),
      end: () => this.end('asked'),
    });
  }

  async run(): Promise<RunPaperResult> {
    const { session, options, directory } = this;
    const { setup } = options;
    const logs = new LogLines(join(directory, 'logs'), session.journal.file.path, setup.name, setup.mode);
    const projector = projectPortfolio(directory, setup.name, session.header.runId, options.databaseUrl);
    this.projector = () => projector.state();
    session.journal.onDurable = (entries) => {
      logs.take(entries);
      for (const entry of entries) projector.offer(entry);
    };
    const control = await serveControl(directory, (request) => this.line.answer(request));
    this.announce();
    session.recorder.onLine = (line) => {
      session.times.trace?.decided(line);
      this.tellLine(line);
    };
    const release = this.heedSignals();
    const redraw = this.startScreen();
    options.onVoice?.({ tell: (line) => this.tell(line), whisper: (line) => this.whisper(line) });
    const timer = options.forMs === null ? null : setTimeout(() => this.end('time'), options.forMs);
    try {
      try {
        await this.drive();
        if (this.broken !== null) throw this.broken;
      } finally {
        if (timer !== null) clearTimeout(timer);
        if (redraw !== null) clearInterval(redraw);
        this.redraw();
        this.screen?.close();
        this.screen = null;
        this.models?.close();
        await control.close();
        await Promise.all((options.publishers ?? []).map((publisher) => publisher.close()));
      }
      this.line.close();
      session.close();
    } catch (error) {
      this.line.close();
      session.abandon();
      throw error;
    } finally {
      logs.close();
      await projector.close();
      release();
    }
    const status = this.status();
    this.tell(`ended (${this.ending}): ${statusLine(status)}`);
    return { ending: this.ending, status };
  }

  private async drive(): Promise<void> {
    const { session, options } = this;
    const { setup } = options;
    const { signal } = this.abort;
    const onSlice = () => this.sliceSeen();
    if (setup.tape === null) {
      session.begin(Math.max(this.now(), session.engine.at));
      const say = (line: string) => this.tell(line);
      const { ingest = null, clock = systemClock } = options;
      const webhook =
        ingest === null ? null : await openWebhookDriver(ingest, { session, clock, signal, onSlice, say });
      const open = openLive(setup.request.feed);
      this.live = webhook?.driver ?? new LiveDriver({ session, open, clock, signal, onSlice, say });
      this.hasBegun();
      this.followModels();
      this.startPublishers();
      await this.live.run().finally(() => webhook?.close());
      return;
    }
    const { tape } = setup;
    tape.seek(session.steps);
    session.begin(session.engine.at > 0 ? session.engine.at : (tape.peek() ?? 0));
    this.hasBegun();
    // recorded prices are one study, from its first bar to its last; made-up ones go on for ever
    if (setup.mode === 'SYNTHETIC') this.followModels();
    const speed = options.speed ?? SPEEDS[setup.mode];
    const { slicesMax } = options;
    this.tapeOver = await playTape({
      session,
      tape,
      speed,
      warmUpSlices: setup.warmUpBars,
      slicesMax,
      signal,
      onSlice,
    });
    if (!this.tapeOver || options.once || slicesMax !== null) return;
    this.tell('the tape is over: nothing more will happen; begin again with --fresh, or end with Ctrl-C');
    await new Promise<void>((done) => {
      // an abort signal alone does not keep the process alive
      const alive = setInterval(() => undefined, 60 * SECOND);
      const over = () => {
        clearInterval(alive);
        done();
      };
      if (signal.aborted) over();
      signal.addEventListener('abort', over, { once: true });
    });
  }

  private now(): Instant {
    return Math.floor((this.options.clock ?? systemClock).now());
  }

  private end(ending: Ending): void {
    if (this.abort.signal.aborted) return;
    this.ending = ending;
    this.abort.abort();
  }

  /**
   * The kill switch of last resort: needs no socket, no database and no other process. One that comes while the journal is
   * still folded is obeyed as soon as the loop runs.
   */
  private readonly kill = (): void => {
    this.killAsked = true;
    if (!this.begun || !this.line.killBySignal('SIGUSR2')) return;
    this.tell('killed by SIGUSR2: nothing is entered, every order is being canceled, every position closed');
  };

  private hasBegun(): void {
    this.begun = true;
    if (this.killAsked) this.kill();
  }

  /** Desks take the models that their references come to mean, unless the configuration holds them off. */
  private followModels(): void {
    const { session, options } = this;
    if (options.setup.request.portfolio.newModels === 'keep') return;
    this.models = new ModelWatch({
      session,
      now: () => (this.live === null ? session.engine.at : Math.max(this.now(), session.engine.at)),
      isOver: () => this.abort.signal.aborted,
      onBroken: (error) => {
        this.broken = error;
        this.end('finished');
      },
    });
    this.models.start();
  }

  /** Only beside a live feed: what is published now says nothing about recorded prices. */
  private startPublishers(): void {
    const { session } = this;
    for (const publisher of this.options.publishers ?? []) {
      const outlet = outletInto(publisher.name, {
        session,
        now: () => Math.max(this.now(), session.engine.at),
        isOver: () => this.abort.signal.aborted,
        onBroken: (error) => {
          this.broken = error;
          this.end('finished');
        },
        say: (line) => this.tell(line),
      });
      publisher.start(outlet);
    }
  }

  /** Ctrl-C and a polite kill end cleanly; a second Ctrl-C at once: what is durable is safe whatever happens. */
  private heedSignals(): () => void {
    const interrupt = () => {
      if (this.abort.signal.aborted) process.exit(130);
      this.end('interrupted');
    };
    const terminate = () => this.end('terminated');
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
    process.on('SIGHUP', terminate);
    const orphaned = watchLauncher(terminate);
    return () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
      process.off('SIGHUP', terminate);
      process.off('SIGUSR2', this.kill);
      if (orphaned !== null) clearInterval(orphaned);
    };
  }

  private announce(): void {
    const { setup } = this.options;
    const { beginning, engine, steps } = this.session;
    if (beginning.resumed) {
      const from =
        beginning.fromSnapshot === null ? 'the beginning' : `the snapshot at entry ${beginning.fromSnapshot}`;
      this.tell(
        `continued ${setup.name} at ${formatInstant(engine.at)} from ${from}, ${beginning.folded} entries folded`,
      );
      if (setup.tape !== null) this.tell(`goes on behind step ${steps} of the tape`);
    } else
      this.tell(
        `started ${setup.name}: ${setup.header.desks.map((d) => d.name).join(', ')} on ${setup.instruments.map((i) => i.id).join(', ')}`,
      );
    if (beginning.mended !== null) this.tell(`the journal was not closed: ${beginning.mended}`);
    if (setup.mode === 'SYNTHETIC') this.tell('prices are made up: nothing here is evidence of anything');
    if (setup.mode === 'REPLAY')
      this.tell('prices are recorded and played again: nothing here is evidence of anything');
  }

  private get feedStatus(): string {
    return this.live?.status ?? (this.tapeOver ? 'over' : 'tape');
  }

  private get tape(): Status['tape'] {
    const { tape } = this.options.setup;
    return tape === null ? null : { position: tape.position, length: tape.length, over: this.tapeOver };
  }

  private status(): Status {
    const state = this.projector?.() ?? null;
    return statusOf(this.session, {
      feed: this.feedStatus,
      tape: this.tape,
      projections: state === null ? null : { behind: state.behind, error: state.error },
    });
  }

  private startScreen(): NodeJS.Timeout | null {
    if (this.options.screen === null) return null;
    this.screen = new Screen(this.options.screen);
    this.redraw();
    return setInterval(() => this.redraw(), REDRAW_MS);
  }

  private redraw(): void {
    if (this.screen !== null)
      this.screen.draw(panelLines(this.status(), this.screen.columns, this.options.console?.() ?? null));
  }

  private sliceSeen(): void {
    const now = Date.now();
    if (now - this.lineAt < LINE_EVERY_MS) return;
    this.lineAt = now;
    this.tell(`${formatInstant(this.session.engine.at)} ${statusLine(this.status())}`);
  }

  /** What is worth a line of its own as it happens. */
  private tellLine(line: TraceLine): void {
    const what = line.instrument === null ? '' : ` ${line.instrument}`;
    if (line.type === 'decision') {
      if (line.outcome !== 'entered' && line.outcome !== 'in-review') return;
      // as the sizer wished it; the order is on the instrument's grid
      const size = line.size === null ? '' : ` about ${Number(Number(line.size.quantity).toPrecision(4))}`;
      const words = `${line.action}${size}${what} (confidence ${line.confidence.toFixed(2)})`;
      const waits = line.outcome === 'entered' ? '' : ' waits for a review:';
      this.tell(`${formatInstant(line.at)} ${line.desk}:${waits} ${words}`);
    } else if (!line.shadow) this.tell(`${formatInstant(line.at)} ${line.type}${what}: ${line.text}`);
  }

  private heed(command: Command, at: Instant): void {
    if (command.kind === 'raise-alert')
      this.tell(`${formatInstant(at)} ALERT ${command.severity}: ${command.text}`);
    else if (command.kind === 'ask-question') {
      this.tell(
        `${formatInstant(at)} question ${command.questionId} (${command.topic}), open until ${formatInstant(command.expiresAt)}`,
      );
    }
  }

  /** A line for people and for the log, marked with what the run rests on. */
  private tell(line: string): void {
    const text = `${markOf(this.options.setup.mode)}${plain(line)}`;
    this.log.line(`${new Date().toISOString()} ${this.options.setup.name} ${text}`);
    if (this.screen === null) this.options.say(text);
  }

  private whisper(line: string): void {
    if (this.screen === null) this.options.say(plain(line));
    else this.screen.above(plain(line));
  }
}

/** Under a launcher of another Node version a killed launcher must not leave the program behind. */
function watchLauncher(gone: () => void): NodeJS.Timeout | null {
  const launcher = Number(process.env.QUORUM_LAUNCHER);
  if (!(launcher > 0) || launcher !== process.ppid) return null;
  return setInterval(() => {
    if (process.ppid !== launcher) gone();
  }, SECOND).unref();
}
