// Panning a chart of 100,000 bars in a real Chromium: the console's own Market page with four indicators, fills, an open
// position and regime bands, from the newest bar to the oldest and back again, reading older pages all the while. What counts
// is the longest task of the page's main thread, from the browser's trace: as it was, and as processor time, which does not
// grow when other programs want the same cores. The server only answers with made-up bars.
// npx node bench/chart-pan.ts [BARS PAGES-FOLDER]
import { ensureWebBuilt } from '../src/apps/server/web-build.ts';
import { CHROMIUM, startBrowser } from '../test/support/chromium.ts';
import { INSTRUMENT, serveMadeUpMarket } from './support/made-up-market.ts';

const bars = Number(process.argv[2] ?? 100_000);
const LIMIT_MS = 50;
/** A screen of the narrowest bars, and the rest of the way by wheel. */
const DRAGS = 40;
const DRAG_STEPS = 14;
const FRAME_MS = 16;
const WAIT_MS = 120_000;

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

if (CHROMIUM === null) {
  console.log('no Chromium here: nothing measured');
  process.exit(0);
}
const root = process.argv[3] ?? (await ensureWebBuilt((line) => console.error(line))).root;
if (root === null) throw new Error('the pages of the console cannot be built');
const market = await serveMadeUpMarket(root, bars);
const browser = await startBrowser();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.addInitScript(
  "localStorage.setItem('quorum.entered', '1'); localStorage.setItem('quorum.indicators', 'ema:20,ema:50,sma:100,rsi:14')",
);
const page = await context.newPage();
const faults: string[] = [];
page.on('pageerror', (error) => faults.push(error.message));
await page.goto(`${market.url}/market?instrument=${INSTRUMENT}`);
const chart = page.getByTestId('chart');
await chart.locator('canvas').first().waitFor({ timeout: WAIT_MS });
await page.waitForTimeout(2_000);
const box = (await chart.boundingBox())!;
const middle = box.y + box.height / 3;
const [left, right] = [box.x + 40, box.x + box.width - 140];

/** One drag over the screen; to the right goes into the past. */
async function drag(from: number, to: number): Promise<void> {
  await page.mouse.move(from, middle);
  await page.mouse.down();
  for (let i = 1; i <= DRAG_STEPS; i++) {
    await page.mouse.move(from + ((to - from) * i) / DRAG_STEPS, middle);
    await page.waitForTimeout(FRAME_MS);
  }
  await page.mouse.up();
  await page.waitForTimeout(4 * FRAME_MS);
}

await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
const began = performance.now();
for (let i = 0; i < 5; i++) await drag(left, right);
await page.mouse.move((left + right) / 2, middle);
for (let i = 0; i < 40; i++) {
  await page.mouse.wheel(0, 150);
  await page.waitForTimeout(FRAME_MS);
}
for (let i = 0; i < DRAGS; i++) await drag(left, right);
while (market.sent() < bars && performance.now() - began < WAIT_MS) {
  await page.mouse.wheel(-900, 0);
  await page.waitForTimeout(FRAME_MS);
}
for (let i = 0; i < DRAGS / 2; i++) await drag(right, left);
const seconds = (performance.now() - began) / 1_000;
const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
const reached = market.sent();
await browser.close();
await market.close();

const threads = new Set(
  trace.traceEvents
    .filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain')
    .map((event) => `${event.pid} ${event.tid}`),
);
const tasks = trace.traceEvents.filter(
  (event) =>
    event.ph === 'X' &&
    event.name === 'ThreadControllerImpl::RunTask' &&
    threads.has(`${event.pid} ${event.tid}`),
);
const ms = (pick: (event: TraceEvent) => number | undefined) =>
  tasks.map((task) => (pick(task) ?? 0) / 1_000).sort((a, b) => b - a);
const [took, worked] = [ms((task) => task.dur), ms((task) => task.tdur)];
const over = (of: readonly number[]) => of.filter((each) => each > LIMIT_MS).length;
const shown = (of: readonly number[]) =>
  `longest ${of
    .slice(0, 5)
    .map((each) => each.toFixed(1))
    .join(', ')} ms; over ${LIMIT_MS} ms: ${over(of)}`;
console.log(
  `${reached.toLocaleString('en')} bars panned in ${seconds.toFixed(0)} s, ${tasks.length} tasks of the main thread`,
);
console.log(`as they took    ${shown(took)}`);
console.log(`processor time  ${shown(worked)}`);
for (const fault of faults) console.log(`page error: ${fault}`);
if (tasks.length === 0 || reached < bars || over(took) > 0 || faults.length > 0) process.exitCode = 1;
