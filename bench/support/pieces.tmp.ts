import { barSeries, Tape, TapeCursor } from '#adapters';
import { simulatedVenue } from '#execution';
import { FeatureFrame } from '#features';
import { Engine, NO_TRACE } from '#engine';
import type { InstrumentId } from '#market';
import { EquityCurve } from '#research';
import { cpuSeconds } from './measure.ts';
import { randomWalk } from './walk.ts';
import { serveOwnEntries } from '../../bin/own-entries.js';
serveOwnEntries(new URL('../../src/', import.meta.url), '.ts');
const { loadDesk } = await import('../../src/apps/setup/load-desk.ts');
const { buildStudy } = await import('../../src/apps/setup/study.ts');
const n = 1_000_000;
const tape = new Tape([barSeries('WALK.LOCAL' as InstrumentId, 60_000, randomWalk(n, 'sma'))]);
const desk = await loadDesk('examples/01-sma-cross.ts', ['fast=2000','slow=4000']);
const shapes = [{ instrument: 'WALK.LOCAL' as InstrumentId, intervalMs: 60_000 }];
const study = () => buildStudy(desk, shapes, { cash: null, feeBps: null, slippageBps: null, seed: 'b' }, NO_TRACE);
const pieces: Record<string, () => void> = {
  cursor() { const c = new TapeCursor(tape); while (c.next()); },
  events() { const c = new TapeCursor(tape); let k = 0; while (c.next()) k += c.event().at; if (k === 1) console.log(k); },
  venue() { const c = new TapeCursor(tape); const v = simulatedVenue(study().venue); while (c.next()) { v.advanceTo(c.at); v.onMarket(c.event()); } },
  engine() { const c = new TapeCursor(tape); const e = new Engine(study().definition); while (c.next()) if (c.phase === 'close') e.step(c.event()); },
  engineCurve() { const c = new TapeCursor(tape); const e = new Engine(study().definition); const q = new EquityCurve(); while (c.next()) if (c.phase === 'close') { e.step(c.event()); q.sample(c.at, e); e.nextDue(); } },
  frame() { const f = new FeatureFrame(['sma:2000', 'sma:4000']); const b = (tape.series[0] as any).columns; for (let i = 0; i < n; i++) f.push(b.time[i], b.open[i], b.high[i], b.low[i], b.close[i], b.volume[i]); },
};
if (!process.env.ONLY) for (const [name, run] of Object.entries(pieces)) { const t: number[] = []; for (let i = 0; i < 4; i++) t.push(await cpuSeconds(run)); console.log(name.padEnd(12), t.map((x) => (x * 1e9 / n).toFixed(0)).join(' '), 'ns/bar'); }
import { Backtest } from '#research';
import { NO_JOURNAL } from '#engine';
const desk2 = await loadDesk('examples/01-sma-cross.ts', []);
const study2 = () => buildStudy(desk2, shapes, { cash: null, feeBps: null, slippageBps: null, seed: 'b' }, NO_TRACE);
const bt = (d: any) => { const s = d(); return new Backtest({ definition: s.definition, tape: new TapeCursor(tape), venue: simulatedVenue(s.venue), journal: NO_JOURNAL, seed: 'b', codeHash: '', configurationHash: '', curve: new EquityCurve() }).run(); };
for (const [name, run] of Object.entries({ idleNoJournal: () => void bt(study), ...(process.env.ONLY ? {} : {ordersNoJournal: () => void bt(study2)}) })) { const t: number[] = []; for (let i = 0; i < 5; i++) t.push(await cpuSeconds(run)); console.log(name.padEnd(12), t.map((x) => (x * 1e9 / n).toFixed(0)).join(' '), 'ns/bar'); }
