import { syntheticSeries } from '#adapters';
import { countsAsData } from '#engine';
import { runDesk } from './run-desk.ts';
const series = [...syntheticSeries('acting', Number(process.argv[2]), Date.UTC(2024, 0, 1))];
for (const set of [[], ['assetMax=0.05'], ['groupMax=0.06','sectorMax=0.07','entriesPerSlice=8','ignoreExpectancy=true','monitor=false','breaker=false'], ['heatMax=0.004','entriesPerSlice=8','ignoreExpectancy=true','monitor=false','breaker=false'], ['adxMin=60','stretchMin=3','volumeShareMin=0.9','volatilityMax=0.3']]) {
  const t=performance.now(); const r = await runDesk('sigma', set, series); const c: any = countsAsData(r.engine.counts);
  console.log(set.join(' '), (performance.now()-t).toFixed(0)+'ms', JSON.stringify({ t: c.trades, sh: c.shadowTrades, g: c.objectionsByGate, l: c.refusalsByLimit, r: c.reductionsByLimit, e: c.exitsByKind, b: c.breakerStates, reg: c.regimes, ed: c.edges }));
}
