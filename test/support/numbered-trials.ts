import type { NewTrial } from '#adapters';
import { Chance, sha256 } from '#base';
import { trialDays } from '#research';

const DAYS = Int32Array.from({ length: 30 }, (_, i) => 19_358 + i);
const DESCRIBED = trialDays(DAYS);

/** Trial number n of a desk that was never written: the same for the same number. */
export function numberedTrial(n: number): NewTrial {
  const chance = new Chance(`trial ${n}`);
  return {
    record: {
      desk: { name: 'numbered', source: sha256('numbered') },
      deskHash: sha256(`numbered ${n}`),
      parameters: { n },
      removed: null,
      tapeHash: sha256('tape'),
      instruments: ['ALFA.LOCAL'],
      intervalMs: 900_000,
      days: DESCRIBED,
      cash: 10_000,
      feeBps: 5,
      slippageBps: 0,
      seed: '1',
      answersHash: null,
      codeHash: sha256('code'),
      figures: { trades: n, return: 0.5, sharpe: 1.5, maxDrawdown: 0.02 },
      stamps: [],
    },
    returns: Float64Array.from(DAYS, () => chance.normal() * 0.01),
    days: DAYS,
    kind: 'sweep',
    file: '/somewhere/desk.ts',
    study: sha256('study'),
  };
}
