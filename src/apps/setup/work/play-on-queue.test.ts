import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waveCsv } from '../../../../test/cli/run-cli.ts';
import { sweepRequest } from '../../../../test/support/sweep-request.ts';
import { runVariant } from '../sweep/run-variant.ts';
import { planSweep, type SweepPlan } from '../sweep/sweep-plan.ts';
import { itemsOf, ResultReader } from './play-on-queue.ts';
import { packDaily, type SweepItemResult, unpackDaily } from './sweep-kind.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-on-queue-'));
afterAll(() => rmSync(folder, { recursive: true }));

let plan: SweepPlan;
/** What an honest worker says of variants 0 and 1. */
let honest: string;
beforeAll(async () => {
  writeFileSync(join(folder, 'WAVE-1h.csv'), waveCsv(200));
  const desk = fileURLToPath(new URL('../../../../examples/01-sma-cross.ts', import.meta.url));
  const params = ['fast=3:12:1', 'slow=20:29:1'];
  plan = await planSweep(
    sweepRequest(desk, join(folder, 'WAVE-1h.csv'), { params, where: 'fast != 5', engine: 'loop' }),
  );
  const played = [];
  for (const variant of [0, 1]) {
    const one = (await runVariant({ ...plan, oracle: null }, variant))!;
    played.push({ row: one.row, daily: packDaily(one.daily) });
  }
  honest = JSON.stringify({ played, failed: null } satisfies SweepItemResult);
});

const ITEM = { variants: [0, 1] };
const FAILED = { name: 'RangeError', message: 'made to fail', stack: null, mend: null };

type Changed = {
  played: { row: Record<string, unknown> & { figures: Record<string, unknown> }; daily: string }[];
  failed: unknown;
};

function read(change: (result: Changed) => unknown) {
  const result = JSON.parse(honest) as Changed;
  const changed = change(result);
  return new ResultReader(plan).read(ITEM, changed === undefined ? result : changed);
}

describe('a result that came through Redis', () => {
  it('is taken when it is that of the variants asked for', async () => {
    const result = read(() => undefined);
    expect(result!.failed).toBeNull();
    for (const [i, { row, daily }] of result!.played.entries()) {
      const here = (await runVariant({ ...plan, oracle: null }, i))!;
      expect({ row, daily }).toEqual(here);
      // also in the order of its members, which is that of the bytes in a file
      expect(JSON.stringify(row)).toBe(JSON.stringify(here.row));
    }
  });

  it('may end with the variant that failed', () => {
    const result = read((one) => ({ played: one.played.slice(0, 1), failed: FAILED }));
    expect([result!.played.length, result!.failed]).toEqual([1, FAILED]);
  });

  it.each<[string, (result: Changed) => unknown]>([
    ['nothing', () => null],
    ['text', () => 'done'],
    [
      'a variant missing',
      ({ played }) => {
        played.pop();
      },
    ],
    [
      'variants in another order',
      ({ played }) => {
        played.reverse();
      },
    ],
    [
      'one more than asked for',
      ({ played }) => {
        played.push(played[0]!);
      },
    ],
    ['all of them and a failure', (one) => ({ ...one, failed: FAILED })],
    [
      'parameters of another',
      ({ played }) => {
        played[0]!.row.parameters = played[1]!.row.parameters;
      },
    ],
    [
      'the hash of another',
      ({ played }) => {
        played[0]!.row.variantHash = played[1]!.row.variantHash;
      },
    ],
    [
      'played by the kernel in a sweep of the loop',
      ({ played }) => {
        played[0]!.row.engine = 'kernel';
      },
    ],
    [
      'a figure that is text',
      ({ played }) => {
        played[0]!.row.figures.trades = '3';
      },
    ],
    [
      'money that is no decimal',
      ({ played }) => {
        played[0]!.row.figures.fees = '1e9';
      },
    ],
    [
      'a member that nobody knows',
      ({ played }) => {
        played[0]!.row.more = 1;
      },
    ],
    [
      'equity that is not in whole doubles',
      ({ played }) => {
        played[0]!.daily = 'AAAA';
      },
    ],
    [
      'equity that is no number',
      ({ played }) => {
        played[0]!.daily = nan();
      },
    ],
  ])('is refused when it is %s', (_, change) => {
    expect(read(change)).toBeNull();
  });
});

const nan = () => Buffer.from(Float64Array.of(1, Number.NaN).buffer).toString('base64');

describe('the parts of a sweep', () => {
  it('hold every variant that is left once, cut where the whole sweep is cut', () => {
    const whole = itemsOf(plan, plan.variants);
    expect(whole.flatMap(({ variants }) => variants)).toEqual(plan.variants);
    expect(whole.length).toBeGreaterThanOrEqual(30);
    const left = plan.variants.slice(20);
    const rest = itemsOf(plan, left);
    expect(rest.flatMap(({ variants }) => variants)).toEqual(left);
    expect(rest.slice(1)).toEqual(whole.slice(-rest.length + 1));
  });

  it('carry daily equity bit for bit', () => {
    const daily = { start: 1e14, closes: Float64Array.of(1, 0.1 + 0.2, 2 ** 53 - 1, -0.5) };
    expect(unpackDaily(packDaily(daily))).toEqual(daily);
  });
});
