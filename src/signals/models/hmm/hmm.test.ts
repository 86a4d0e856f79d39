import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, captureState, restoreState } from '#base';
import { HmmFilter } from './hmm-filter.ts';
import { choleskyOf, type HmmParameters, parseHmm } from './hmm-parameters.ts';
import { HmmRegime, hmmRegime } from './hmm-regime.ts';
import { cheapestAssignment, nameStates, rankedNames, stateDistance } from './name-states.ts';

/** Daily returns: falls are wild, rises are calm. */
const market: HmmParameters = {
  kind: 'gaussian-hmm',
  features: ['logret:1'],
  names: ['bear', 'sideways', 'bull'],
  initial: [0.2, 0.5, 0.3],
  transition: [
    [0.95, 0.04, 0.01],
    [0.02, 0.95, 0.03],
    [0.01, 0.04, 0.95],
  ],
  means: [[-0.002], [0.0001], [0.0012]],
  covariance: 'diagonal',
  covariances: [[0.0009], [0.0001], [0.0002]],
};

/** State `order[i]` of a model becomes state i, without its name. */
function shuffled(model: HmmParameters, order: readonly number[]): HmmParameters {
  const taken = <T>(values: readonly T[]) => order.map((i) => values[i]!);
  return {
    ...model,
    names: order.map((_, i) => `state-${i}`),
    initial: taken(model.initial),
    transition: taken(model.transition).map(taken),
    means: taken(model.means),
    covariances: taken(model.covariances),
  };
}

describe('parseHmm', () => {
  it('takes what JSON brings back', () => {
    expect(parseHmm(JSON.parse(JSON.stringify(market)))).toEqual(market);
    const full = { ...market, covariance: 'full' as const };
    expect(parseHmm(full)).toEqual(full);
  });

  it.each<[string, unknown, string]>([
    ['a list', [], 'not an object'],
    ['another kind', { ...market, kind: 'hmm' }, 'its kind is "hmm"'],
    ['no features', { ...market, features: [] }, 'features has 0 entries'],
    ['two states of one name', { ...market, names: ['a', 'a', 'b'] }, 'one name'],
    ['too many states', { ...market, names: Array.from({ length: 17 }, (_, i) => `${i}`) }, '17 entries'],
    ['a probability below 0', { ...market, initial: [-0.5, 1, 0.5] }, 'initial does not sum to 1'],
    [
      'a row of 0.9',
      {
        ...market,
        transition: [
          [0.9, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      },
      'row 0 of transition',
    ],
    ['a short row', { ...market, transition: [[1], [1], [1]] }, 'not a list of 3'],
    ['no number', { ...market, means: [[0], [Number.NaN], [0]] }, 'row 1 of means holds no number'],
    ['a variance of 0', { ...market, covariances: [[1], [0], [1]] }, 'state 1 is not positive definite'],
    ['another shape', { ...market, covariance: 'tied' }, 'not diagonal or full'],
  ])('refuses %s', (_, value, message) => {
    expect(() => parseHmm(value)).toThrow(message);
  });

  it('a full covariance must be symmetric and positive definite', () => {
    expect([...choleskyOf([4, 2, 2, 5], 2)!]).toEqual([2, 0, 1, 2]);
    expect(choleskyOf([1, 2, 2, 1], 2)).toBeNull();
    expect(choleskyOf([1, 0.5, 0.4, 1], 2)).toBeNull();
  });
});

describe('HmmFilter', () => {
  it('the first two steps by hand', () => {
    const filter = new HmmFilter({
      ...market,
      names: ['a', 'b'],
      initial: [0.5, 0.5],
      transition: [
        [0.9, 0.1],
        [0.2, 0.8],
      ],
      means: [[0], [1]],
      covariances: [[1], [1]],
    });
    // densities at 0 stand as 1 to exp(-1/2)
    const b = Math.exp(-0.5);
    const first = filter.advance([0])[0]!;
    expect(first).toBeCloseTo(1 / (1 + b), 14);
    const entered = first * 0.9 + (1 - first) * 0.2;
    expect(filter.advance([1])[0]).toBeCloseTo((entered * b) / (entered * b + 1 - entered), 14);
    expect(filter.count).toBe(2);
  });

  it('goes on from a snapshot to the same numbers', () => {
    const chance = new Chance('snapshot');
    const rows = Array.from({ length: 200 }, () => [0.02 * chance.normal()]);
    const whole = new HmmFilter(market);
    const told = rows.map((row) => [...whole.advance(row)]);
    const before = new HmmFilter(market);
    for (const row of rows.slice(0, 90)) before.advance(row);
    const state = JSON.parse(JSON.stringify(captureState(before)));
    expect(Object.keys(state).sort()).toEqual(['count', 'logLikelihood', 'logPosterior', 'posterior']);
    const after = new HmmFilter(market);
    restoreState(after, state);
    expect(rows.slice(90).map((row) => [...after.advance(row)])).toEqual(told.slice(90));
    expect(after.logLikelihood).toBe(whole.logLikelihood);
  });

  it('a missing observation lets time pass and teaches nothing', () => {
    const filter = new HmmFilter(market);
    const before = [...filter.advance([0.01])];
    const likelihood = filter.logLikelihood;
    const after = filter.advance([Number.NaN]);
    for (let j = 0; j < 3; j++) {
      const moved = before.reduce((sum, p, i) => sum + p * market.transition[i]![j]!, 0);
      expect(after[j]).toBeCloseTo(moved, 14);
    }
    expect(filter.logLikelihood).toBe(likelihood);
  });

  it('reads a row where it lies', () => {
    const inside = new HmmFilter(market);
    const alone = new HmmFilter(market);
    expect([...inside.advance(Float64Array.of(9, 9, 0.004, 9), 2)]).toEqual([...alone.advance([0.004])]);
  });
});

describe('naming states', () => {
  it('by mean return; of equal means the wilder one is the lower', () => {
    expect([1, 2, 3, 5].map(rankedNames)).toEqual([
      ['sideways'],
      ['bear', 'bull'],
      ['bear', 'sideways', 'bull'],
      ['bear', 'sideways-1', 'sideways-2', 'sideways-3', 'bull'],
    ]);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      const { parameters, by } = nameStates(shuffled(market, order));
      expect(parameters).toEqual(market);
      expect(by).toBe('ranked');
    }
    const equal = { ...market, means: [[0], [0], [0]] };
    expect(nameStates(equal).parameters.covariances).toEqual([[0.0009], [0.0002], [0.0001]]);
  });

  it('keeps names over refits though means pass each other', () => {
    // sideways and bull drift past each other; by rank they would swap names
    const refit = shuffled({ ...market, means: [[-0.0018], [0.0011], [0.0009]] }, [1, 2, 0]);
    expect(nameStates(refit).parameters.covariances[2]).toEqual([0.0001]);
    const { parameters, by, distance } = nameStates(refit, { previous: market });
    expect(by).toBe('matched');
    expect(distance).toBeLessThan(0.01);
    expect(parameters.names).toEqual(market.names);
    expect(parameters.covariances).toEqual(market.covariances);
    expect(parameters.transition).toEqual(market.transition);
  });

  it('any order of the same states is named the same, in any number and dimension', () => {
    const models = fc
      .record({ seed: fc.integer(), k: fc.integer({ min: 1, max: 6 }), d: fc.integer({ min: 1, max: 3 }) })
      .map(({ seed, k, d }) => {
        const chance = new Chance(seed);
        const rows = (make: () => number) => Array.from({ length: k }, () => Array.from({ length: d }, make));
        const model: HmmParameters = {
          kind: 'gaussian-hmm',
          features: Array.from({ length: d }, (_, i) => `f${i}`),
          names: Array.from({ length: k }, (_, i) => `state-${i}`),
          initial: Array.from({ length: k }, () => 1 / k),
          transition: Array.from({ length: k }, () => Array.from({ length: k }, () => 1 / k)),
          means: rows(() => chance.normal()),
          covariance: 'diagonal',
          covariances: rows(() => 0.1 + chance.uniform()),
        };
        const order = Array.from({ length: k }, (_, i) => i).sort(() => chance.normal());
        return { model: nameStates(model).parameters, order };
      });
    fc.assert(
      fc.property(models, ({ model, order }) => {
        const again = nameStates(shuffled(model, order), { previous: model });
        expect(again.parameters).toEqual(model);
        expect(again.by).toBe('matched');
        expect(again.distance).toBeCloseTo(0, 12);
      }),
    );
  });

  it('gives names anew where the old ones would lie', () => {
    const turned = { ...market, means: [[0.002], [0.0001], [-0.0012]] };
    const { parameters, by, reason } = nameStates(turned, { previous: market });
    expect([by, reason]).toEqual(['ranked', 'the mean return of bull would not be above that of bear']);
    expect(parameters.means).toEqual([[-0.0012], [0.0001], [0.002]]);
    const two = {
      ...shuffled(market, [0, 1]),
      transition: [
        [1, 0],
        [0, 1],
      ],
      initial: [1, 0],
    };
    expect(nameStates(two, { previous: market }).reason).toBe('another number of states');
    expect(nameStates({ ...market, features: ['roc:1'] }, { previous: market }).reason).toBe(
      'other features',
    );
    expect(() => nameStates(market, { returnDimension: 1 })).toThrow('dimension 1 cannot be the return');
  });

  it('the Bhattacharyya distance of two normals by hand', () => {
    // means 0 and 2, variances 1 and 3: 4/2/8 + ln(2/sqrt(3))/2
    const pair = { ...market, means: [[0], [2], [0]], covariances: [[1], [3], [1]] };
    expect(stateDistance(pair, 0, pair, 1)).toBeCloseTo(0.25 + 0.5 * Math.log(2 / Math.sqrt(3)), 14);
    expect(stateDistance(pair, 0, pair, 2)).toBe(0);
  });

  it('the cheapest assignment is the least of all of them', () => {
    const permutations = (items: number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item) =>
            permutations(items.filter((i) => i !== item)).map((rest) => [item, ...rest]),
          );
    const square = fc
      .integer({ min: 1, max: 5 })
      .chain((k) =>
        fc.array(fc.array(fc.nat(20), { minLength: k, maxLength: k }), { minLength: k, maxLength: k }),
      );
    fc.assert(
      fc.property(square, (costs) => {
        const sumOf = (columns: number[]) =>
          columns.reduce((sum, column, row) => sum + costs[row]![column]!, 0);
        const { columns, cost } = cheapestAssignment(costs);
        expect([...columns].sort()).toEqual(costs.map((_, i) => i));
        expect(cost).toBe(sumOf(columns));
        expect(cost).toBe(Math.min(...permutations(costs.map((_, i) => i)).map(sumOf)));
      }),
    );
  });
});

describe('hmmRegime', () => {
  const track = (values: readonly number[], options = {}) => {
    const part = hmmRegime(market, options);
    expect(part.features).toEqual({ x0: 'logret:1' });
    const regime = part.create();
    return values.map((x0) => {
      regime.update({ x0 });
      return regime.name;
    });
  };
  const falls = [-0.06, 0.05, -0.07, -0.05];

  it('names the likeliest state by what is known', () => {
    expect(track([Number.NaN, Number.NaN])).toEqual([null, null]);
    expect(track(falls).at(-1)).toBe('bear');
    expect(track([...Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 0.004 : -0.004))]).at(-1)).toBe(
      'sideways',
    );
    const cut = track([...falls, 0.001]);
    expect(track([...falls, 0.001, 0.002, -0.001]).slice(0, 5)).toEqual(cut);
  });

  it('waits for observations and for a probability', () => {
    expect(track(falls, { observationsMin: 3 }).slice(0, 3)).toEqual([null, null, 'bear']);
    expect(track([0.004], { probabilityMin: 0.9 })).toEqual([null]);
    expect(() => hmmRegime(market, { probabilityMin: 1 })).toThrow('a probability of 1');
    expect(() => hmmRegime(market, { observationsMin: 0 })).toThrow('0 observations');
  });

  it('tells probabilities by name, and survives a snapshot', () => {
    const regime = new HmmRegime(market, 0, 1);
    expect(regime.probabilityOf('bull')).toBeNull();
    for (const x0 of falls) regime.update({ x0 });
    const sum = market.names.reduce((total, name) => total + regime.probabilityOf(name)!, 0);
    expect(sum).toBeCloseTo(1, 14);
    expect(regime.probabilityOf('crab')).toBeNull();
    const other = new HmmRegime(market, 0, 1);
    restoreState(other, JSON.parse(JSON.stringify(captureState(regime))));
    for (const one of [regime, other]) one.update({ x0: 0.003 });
    expect([other.name, other.probabilityOf('bear')]).toEqual([regime.name, regime.probabilityOf('bear')]);
  });
});
