// Writes what the examples run on, always the same bytes: examples/bars/ALFA-15m.csv, BETA-15m.csv and mood.jsonl.
// npx node scripts/make-example-bars.ts
import { writeFileSync } from 'node:fs';
import { Chance } from '../src/base/chance.ts';

const MINUTES_15 = 900_000;
const FROM = Date.UTC(2024, 0, 1);
const BARS = 2880;

/** Two made-up stocks that follow one slow factor; their ratio comes back to its mean. Texts of CSV files by symbol. */
export function exampleBars(): Record<'ALFA' | 'BETA', string> {
  const chance = new Chance('example bars');
  const lines = { ALFA: ['time,open,high,low,close,volume'], BETA: ['time,open,high,low,close,volume'] };
  const price = { ALFA: 50, BETA: 80 };
  let factor = 0;
  let drift = 0;
  let ratio = 0;
  for (let i = 0; i < BARS; i++) {
    drift = 0.992 * drift + 0.00002 * chance.normal();
    factor += drift + 0.0011 * chance.normal();
    ratio = 0.985 * ratio + 0.0016 * chance.normal();
    const close = { ALFA: 50 * Math.exp(factor + ratio / 2), BETA: 80 * Math.exp(factor - ratio / 2) };
    for (const symbol of ['ALFA', 'BETA'] as const) {
      const open = price[symbol];
      const end = Math.round(close[symbol] * 100) / 100;
      const wick = () => Math.abs(chance.normal()) * 0.0006;
      const high = Math.max(open, end) * (1 + wick());
      const low = Math.min(open, end) * (1 - wick());
      const volume = Math.round(2000 * Math.exp(0.9 * chance.normal()));
      lines[symbol].push(
        [FROM + i * MINUTES_15, open, high.toFixed(2), low.toFixed(2), end, volume].join(','),
      );
      price[symbol] = end;
    }
  }
  return { ALFA: `${lines.ALFA.join('\n')}\n`, BETA: `${lines.BETA.join('\n')}\n` };
}

/** Answers to the questions of 05-remote-source.ts: drawn by chance, one missing, one malformed, one late. */
export function exampleAnswers(): string {
  const chance = new Chance('example answers');
  const lines: string[] = [];
  const days = (BARS * MINUTES_15) / 86_400_000;
  for (let day = 0; day <= days; day++) {
    const date = new Date(FROM + day * 86_400_000).toISOString().slice(0, 10);
    const up = Math.round(chance.uniform() * 100) / 100;
    const answer = day === 11 ? { up: 'perhaps' } : { up };
    if (day === 7) continue;
    const delayMs = day === 13 ? 45_000 : 500 + chance.below(3_000);
    lines.push(JSON.stringify({ topic: 'mood', prompt: { symbol: 'ALFA', date }, answer, delayMs }));
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL('../examples/bars/mood.jsonl', import.meta.url), exampleAnswers());
  for (const [symbol, text] of Object.entries(exampleBars())) {
    writeFileSync(new URL(`../examples/bars/${symbol}-15m.csv`, import.meta.url), text);
  }
}
