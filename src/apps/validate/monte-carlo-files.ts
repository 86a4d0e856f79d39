import { join } from 'node:path';
import { formatDecimal } from '#base';
import type { MonteCarloResult, Percentiles } from '#research';
import { csvLine } from '../setup/optimise/study-directory.ts';
import { writeWholeFile } from '../whole-file.ts';
import type { MonteCarloStudy } from './monte-carlo-run.ts';

/** What `--json` and `monte-carlo.json` say. Money as decimal text. */
export function monteCarloAsData(study: MonteCarloStudy): Record<string, unknown> {
  const money = (minor: number) => formatDecimal(Math.round(minor), study.minorScale);
  const moneys = ({ p5, p50, p95 }: Percentiles) => ({ p5: money(p5), p50: money(p50), p95: money(p95) });
  const result = (found: MonteCarloResult | null) =>
    found === null
      ? null
      : {
          paths: found.paths,
          steps: found.steps,
          meanBlock: found.meanBlock,
          finalEquity: moneys(found.finalEquity),
          maxDrawdown: found.maxDrawdown,
          longestDrawdown: found.longestDrawdown,
          ruin: found.ruin,
          fan: found.fan.map(({ step, ...at }) => ({ step, ...moneys(at) })),
        };
  return {
    desk: study.desk,
    currency: study.currency,
    cashStart: money(study.cash),
    equityEnd: money(study.equityEnd),
    trades: study.trades,
    days: study.days,
    maxDrawdown: study.maxDrawdown,
    shuffle: result(study.shuffle),
    bootstrap: result(study.bootstrap),
    blocks: result(study.blocks),
    noise: study.noise === null ? null : { ...study.noise, finalEquity: moneys(study.noise.finalEquity) },
    stamps: study.stamps,
    notes: study.notes,
    finished: study.finished,
  };
}

/** Writes `monte-carlo.json` and `fan.csv`. */
export function writeMonteCarlo(out: string, study: MonteCarloStudy): void {
  const money = (minor: number) => formatDecimal(Math.round(minor), study.minorScale);
  const rows = (['shuffle', 'bootstrap', 'blocks'] as const).flatMap((method) =>
    (study[method]?.fan ?? []).map(({ step, p5, p50, p95 }) =>
      csvLine([method, step, money(p5), money(p50), money(p95)]),
    ),
  );
  writeWholeFile(join(out, 'fan.csv'), [csvLine(['method', 'step', 'p5', 'p50', 'p95']), ...rows]);
  const data = { schemaVersion: 1, ...monteCarloAsData(study) };
  writeWholeFile(join(out, 'monte-carlo.json'), [`${JSON.stringify(data, null, 2)}\n`]);
}
