import { barSeries } from '#adapters';
import type { InstrumentId } from '#market';
import { cpuSeconds } from './measure.ts';
import { runLoop } from './run-study.ts';
import { randomWalk } from './walk.ts';
const bars = Number(process.argv[2] ?? 1_000_000);
const ours = await runLoop('examples/01-sma-cross.ts', process.argv.slice(3), [barSeries('WALK.LOCAL' as InstrumentId, 60_000, randomWalk(bars, 'sma'))]);
for (let i = 0; i < 4; i++) console.log((bars / (await cpuSeconds(() => void ours())) / 1e6).toFixed(3), 'M/s', Math.round(process.resourceUsage().maxRSS/1024));
ours.dispose();
