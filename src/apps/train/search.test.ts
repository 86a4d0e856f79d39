import { describe, expect, it } from 'vitest';
import { type SearchSettings, searchModels, type TrainTrial } from './search.ts';
import type { TrialJob, TrialPlayed, TrialPlayer, WindowFigures } from './trial-player.ts';

const WINDOWS = 8;

/** A window whose Sharpe ratio depends on the point alone. */
const figures = (number: number, sharpe: number, trades: number): WindowFigures => ({
  number,
  calibrated: true,
  sharpe,
  nets: new Array<number>(trades).fill(1),
  equity: [1, 1],
  maxDrawdown: 0,
  clippedShare: 0,
});

/** Plays by a formula; results come back in any order. `stopAfter`: aborted from that job on. */
class Formula implements TrialPlayer {
  readonly played: TrialJob[] = [];
  private readonly stopAfter: number;
  private readonly change: (job: TrialJob) => Partial<TrialPlayed>;

  constructor(stopAfter = Infinity, change: (job: TrialJob) => Partial<TrialPlayed> = () => ({})) {
    this.stopAfter = stopAfter;
    this.change = change;
  }

  async play(job: TrialJob): Promise<TrialPlayed | null> {
    this.played.push(job);
    if (this.played.length > this.stopAfter) return null;
    const { point } = job;
    // so that what was begun later may be done first
    await new Promise((done) => setTimeout(done, this.played.length % 2 === 0 ? 4 : 0));
    const sharpe = 3 - Math.abs(point.maxDepth - 3) - Math.abs(Math.log(point.eta / 0.1));
    const windows = Array.from({ length: WINDOWS }, (_, n) => figures(n, sharpe + (n % 2), 6));
    return {
      windows,
      reports: windows.map(({ number }) => [number, sharpe]),
      pruned: false,
      failed: false,
      detail: null,
      ...this.change(job),
    };
  }

  async close(): Promise<void> {}
}

const settings = (more: Partial<SearchSettings> = {}): SearchSettings => ({
  seed: 'search',
  trials: 12,
  windows: WINDOWS,
  known: new Map(),
  onTrial: () => {},
  ...more,
});

describe('the search', () => {
  it("begins with the sheet's lengths, and goes after what is best", async () => {
    const { trials, best, finished } = await searchModels(new Formula(), settings({ trials: 40 }));
    expect(finished).toBe(true);
    expect(trials.map(({ trial }) => trial)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(trials[0]!.point).toMatchObject({ rsi: 14, atr: 14, momentum: 20 });
    expect(best[0]!.value).toBe(Math.max(...trials.map(({ value }) => value!)));
    const mean = (some: readonly TrainTrial[]) =>
      some.reduce((sum, { value }) => sum + value!, 0) / some.length;
    expect(mean(trials.slice(30))).toBeGreaterThan(mean(trials.slice(0, 10)));
  });

  it('is the same for the same seed, and another for another', async () => {
    const points = async (seed: string) =>
      (await searchModels(new Formula(), settings({ seed }))).trials.map(({ point }) => point);
    expect(await points('a')).toEqual(await points('a'));
    expect(await points('a')).not.toEqual(await points('b'));
  });

  it.each([1, 4, 7, 11])('goes on after an interruption at %i as if there had been none', async (at) => {
    const whole = await searchModels(new Formula(), settings());
    const kept = new Map<number, TrainTrial>();
    const onTrial = (trial: TrainTrial) => void kept.set(trial.trial, trial);
    const cut = await searchModels(new Formula(at), settings({ onTrial }));
    expect(cut.finished).toBe(false);
    expect(kept.size).toBe(at);
    // as a file would give them back
    const known = new Map(JSON.parse(JSON.stringify([...kept])) as [number, TrainTrial][]);
    const rest = new Formula();
    const again = await searchModels(rest, settings({ known }));
    expect(again.trials).toEqual(whole.trials);
    expect(rest.played).toHaveLength(12 - at);
  });

  it('refuses trials of another search', async () => {
    const { trials } = await searchModels(new Formula(), settings());
    const known = new Map(trials.map((trial) => [trial.trial, trial]));
    await expect(searchModels(new Formula(), settings({ known, seed: 'other' }))).rejects.toThrow(
      'is not the one this search asks for',
    );
  });

  it('lets only those win that traded enough in every window, and came to a value', async () => {
    const change = ({ point }: TrialJob): Partial<TrialPlayed> => {
      if (point.maxDepth === 3)
        return { windows: Array.from({ length: WINDOWS }, (_, n) => figures(n, 9, n === 2 ? 4 : 9)) };
      if (point.maxDepth === 4) return { failed: true };
      return point.maxDepth === 5 ? { pruned: true } : {};
    };
    const { trials, best } = await searchModels(new Formula(Infinity, change), settings({ trials: 24 }));
    const depths = new Set(best.map(({ point }) => point.maxDepth));
    for (const depth of [3, 4, 5]) {
      expect(trials.some(({ point }) => point.maxDepth === depth)).toBe(true);
      expect(depths.has(depth)).toBe(false);
    }
    expect(best.length).toBeGreaterThan(0);
    expect(trials.filter(({ state }) => state === 'failed').every(({ value }) => value === null)).toBe(true);
  });

  it('stops nobody before five windows, and tells a trial the medians of those before it', async () => {
    const player = new Formula();
    await searchModels(player, settings({ trials: 14 }));
    const medians = player.played.map((job) => job.medians!);
    // five complete ones are needed, and two are open at once
    expect(medians.slice(0, 5).every((own) => own.every((one) => one === null))).toBe(true);
    const late = medians.at(-1)!;
    expect(late.slice(0, 5)).toEqual([null, null, null, null, null]);
    expect(late.slice(5).every((one) => one !== null)).toBe(true);
  });
});
