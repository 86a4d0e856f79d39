import { describe, expect, it } from 'vitest';
import { trialNeighbours } from './trial-neighbours.ts';

const at = (fast: number, slow: number, sharpe: number | null, rest = {}) => ({
  hash: `${fast}/${slow}/${JSON.stringify(rest)}`,
  study: null as string | null,
  parameters: { fast, slow, mode: 'long', ...rest },
  sharpe,
  return: null,
});

describe('the trials around a run', () => {
  const grid = [5, 10, 20].flatMap((fast) => [50, 100, 200].map((slow) => at(fast, slow, fast / slow)));

  it('are those one step away, the diagonals too', () => {
    const found = trialNeighbours('10/100/{}', grid);
    expect(found).toMatchObject({ neighbours: 8, sharpe: 0.1, gaining: 1, worstSharpe: 5 / 200 });
    const others = grid.filter(({ hash }) => hash !== '10/100/{}').map(({ sharpe }) => sharpe!);
    expect(found.meanSharpe).toBeCloseTo(others.reduce((a, b) => a + b) / 8, 12);
    expect(found.plateau).toBeCloseTo(found.meanSharpe! / 0.1, 12);
    expect(found.varied).toEqual([
      { name: 'fast', values: 3 },
      { name: 'slow', values: 3 },
    ]);
  });

  it('are fewer at a corner, and never of another mode', () => {
    const other = grid.map(({ parameters }) => at(parameters.fast, parameters.slow, 9, { mode: 'short' }));
    expect(trialNeighbours('5/50/{}', [...grid, ...other])).toMatchObject({ neighbours: 3 });
  });

  it('without a figure are no gain; of a run that stands alone there are none', () => {
    const found = trialNeighbours('5/50/{}', [at(5, 50, 1), at(10, 50, null), at(5, 60, -1)]);
    expect(found).toMatchObject({ neighbours: 2, meanSharpe: -1, worstSharpe: -1, gaining: 0, plateau: -1 });
    expect(trialNeighbours('5/50/{}', [at(5, 50, 1)])).toMatchObject({
      neighbours: 0,
      sharpe: 1,
      meanSharpe: null,
    });
    expect(trialNeighbours('not here', grid)).toMatchObject({ neighbours: 0, sharpe: null });
  });

  it('keep the grid of their own study', () => {
    const search = [7, 8, 9, 11, 12, 13].map((fast) => ({
      ...at(fast, fast * 11, 1, { trail: fast / 100 }),
      study: 'search',
    }));
    const own = { trail: 0.1 };
    const sweep = grid.map(({ parameters: { fast, slow }, sharpe }) => ({
      ...at(fast, slow, sharpe, own),
      study: 'sweep',
    }));
    const name = `10/100/${JSON.stringify(own)}`;
    const alone = trialNeighbours(name, sweep);
    expect(alone.neighbours).toBe(8);
    // of the search, what lies next to it on both sides in each number
    expect(trialNeighbours(name, [...sweep, ...search])).toMatchObject({
      neighbours: 10,
      varied: [{ name: 'fast' }, { name: 'slow' }, { name: 'trail' }],
    });
    const wilder = search.map((one, i) => ({
      ...one,
      parameters: { ...one.parameters, trail: 1 + ((i * 7) % 5) },
    }));
    expect(trialNeighbours(name, [...sweep, ...wilder]).neighbours).toBe(8);
  });

  it('may differ in nested parameters', () => {
    const nested = [1, 2, 4].map((n) => ({
      ...at(5, 50, n),
      hash: `${n}`,
      parameters: { stop: { atr: n } },
    }));
    expect(trialNeighbours('1', nested)).toMatchObject({
      neighbours: 1,
      varied: [{ name: 'stop.atr', values: 3 }],
    });
  });
});
