import { syntheticSeries } from '#adapters';
import { cpuSeconds } from './measure.ts';
import { runLoop } from './run-study.ts';
const bars = Number(process.argv[2] ?? 40_000);
const series = syntheticSeries('bench', bars, Date.UTC(2024, 0, 1)) as any;
const ours = await runLoop('sigma', process.argv.slice(3), Array.isArray(series) ? series : [...series]);
for (let i = 0; i < 3; i++) { let r: any; const s = await cpuSeconds(() => { r = ours(); }); console.log((8 * bars / s / 1e6).toFixed(3), 'M/s', r.result.engine.counts.bars, r.result.engine.counts.trades, r.result.engine.counts.shadowTrades, Math.round(process.resourceUsage().maxRSS/1024)); }
ours.dispose();
