import { Agent, request } from 'node:http';

const TICK_MS = 20;
const WAITING_MOST = 2_000;

/** Requests at a steady pace, whatever the answers take. */
export class RequestStream {
  answered = 0;
  failed = 0;
  /** How long each took, ms. */
  readonly times: number[] = [];
  private readonly url: string;
  private readonly token: string;
  private readonly paths: readonly string[];
  private readonly perTick: number;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  private readonly tags = new Map<string, string>();
  private timer: NodeJS.Timeout | null = null;
  private sent = 0;
  private waiting = 0;
  private began = 0;

  constructor(url: string, token: string, paths: readonly string[], perSecond: number) {
    this.url = url;
    this.token = token;
    this.paths = paths;
    this.perTick = perSecond / 1_000;
  }

  start(): void {
    this.began = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Ends and waits for the answers that are on their way. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    while (this.waiting > 0) await new Promise((next) => setTimeout(next, 10));
    this.agent.destroy();
  }

  private tick(): void {
    const due = Math.floor((performance.now() - this.began) * this.perTick);
    for (; this.sent < due; this.sent++) {
      if (this.waiting < WAITING_MOST) this.send(this.paths[this.sent % this.paths.length]!);
      else this.failed += 1;
    }
  }

  private send(path: string): void {
    const from = performance.now();
    this.waiting += 1;
    let over = false;
    const end = (worked: boolean) => {
      if (over) return;
      over = true;
      this.waiting -= 1;
      if (worked) {
        this.answered += 1;
        this.times.push(performance.now() - from);
      } else this.failed += 1;
    };
    // as a browser does: what has not changed is not sent again
    const tag = this.tags.get(path);
    const headers = {
      authorization: `Bearer ${this.token}`,
      ...(tag === undefined ? {} : { 'if-none-match': tag }),
    };
    const sent = request(`${this.url}${path}`, { agent: this.agent, headers }, (answer) => {
      const { etag } = answer.headers;
      if (etag !== undefined) this.tags.set(path, etag);
      answer.resume();
      answer.once('end', () => end(answer.statusCode === 200 || answer.statusCode === 304));
      answer.once('error', () => end(false));
    });
    sent.once('error', () => end(false));
    sent.end();
  }
}
