import { describe, expect, it } from 'vitest';
import { actsOf, shortScenario } from './lives.ts';
import { World } from './world.ts';

describe('one scenario crashed at every write, commit and send', () => {
  it('hostile: no double order, no unknown position, cold = warm', () => {
    const whole = new World(shortScenario('hostile', [])).run();
    expect(whole.events).toBeGreaterThanOrEqual(200);
    expect(whole.trades).toBeGreaterThan(3);
    let exact = 0;
    for (let boundary = 0; boundary < whole.boundaries; boundary++) {
      try {
        const life = new World(shortScenario('hostile', [boundary])).run();
        expect(life.deaths).toBe(1);
        exact += life.exactRestarts;
      } catch (cause) {
        throw new Error(`crashed at boundary ${boundary}`, { cause });
      }
    }
    expect(exact).toBeGreaterThan(0);
  }, 120_000);

  it('friendly: a restart that lost nothing is the same as none', () => {
    const whole = new World(shortScenario('friendly', [])).run();
    const acts = actsOf(whole).sort();
    let same = 0;
    let lost = 0;
    for (let boundary = 0; boundary < whole.boundaries; boundary++) {
      const life = new World(shortScenario('friendly', [boundary])).run();
      if (life.unsent > 0) {
        // decided and written, but dead before the door: the order does not leave late, the desk decides anew
        lost += 1;
        continue;
      }
      same += 1;
      expect({ boundary, acts: actsOf(life).sort() }).toEqual({ boundary, acts });
      expect({ boundary, equity: life.equity, nets: life.nets }).toEqual({
        boundary,
        equity: whole.equity,
        nets: whole.nets,
      });
    }
    expect(same).toBeGreaterThan(lost);
    expect(lost).toBeGreaterThan(0);
  }, 120_000);
});
