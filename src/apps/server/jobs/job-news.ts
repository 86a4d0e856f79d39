/** Between two messages about one job. */
const ANNOUNCE_MS = 250;

interface Told {
  at: number;
  timer: NodeJS.Timeout | null;
}

/** Says how jobs stand: at once, but not more often than four times a second each; the last word is never lost. */
export class JobNews {
  private readonly now: () => number;
  private readonly announce: (id: string) => boolean;
  private readonly told = new Map<string, Told>();

  /** `announce` says how a job stands now; true: nothing more will come of it. */
  constructor(now: () => number, announce: (id: string) => boolean) {
    this.now = now;
    this.announce = announce;
  }

  tell(id: string): void {
    const told = this.told.get(id) ?? { at: -Infinity, timer: null };
    this.told.set(id, told);
    if (told.timer !== null) return;
    const wait = told.at + ANNOUNCE_MS - this.now();
    if (wait <= 0) return this.say(id, told);
    told.timer = setTimeout(() => this.say(id, told), Math.min(wait, ANNOUNCE_MS));
    told.timer.unref();
  }

  /** What was not said yet is not said any more. */
  close(): void {
    for (const { timer } of this.told.values()) if (timer !== null) clearTimeout(timer);
    this.told.clear();
  }

  private say(id: string, told: Told): void {
    told.timer = null;
    told.at = this.now();
    if (this.announce(id)) this.told.delete(id);
  }
}
