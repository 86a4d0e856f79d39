import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, startBrowser } from '../support/chromium.ts';
import { runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);

/**
 * What does not fit, as readable lines: a page wider than the screen, text of a drawing beyond its edge or over other text, a
 * table that is cut off. Runs in the page.
 */
const FAULTS = `(() => {
  const faults = [];
  const over = document.documentElement.scrollWidth - window.innerWidth;
  if (over > 0) faults.push('the page is ' + over + ' px too wide');
  const isSeen = (element) => element.getClientRects().length > 0;
  let texts = 0;
  for (const svg of document.querySelectorAll('svg')) {
    if (!isSeen(svg)) continue;
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }));
    texts += boxes.length;
    if (boxes.length === 0) faults.push(svg.querySelector('title').textContent + ': no labels');
    for (const [i, { words, box }] of boxes.entries()) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        faults.push(svg.querySelector('title').textContent + ': "' + words + '" is cut off');
      if (box.height < 8.5) faults.push(svg.querySelector('title').textContent + ': "' + words + '" is too small to read');
      for (const other of boxes.slice(i + 1)) {
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const tall = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (wide > 1 && tall > 2.5) faults.push(svg.querySelector('title').textContent + ': "' + words + '" lies over "' + other.words + '"');
      }
    }
  }
  if (texts === 0) faults.push('no drawing is shown');
  for (const box of document.querySelectorAll('.stack .scroll')) {
    if (box.scrollWidth > box.clientWidth + 1 && window.innerWidth < 800) faults.push('a table is cut off: ' + box.getAttribute('aria-label'));
  }
  for (const element of document.querySelectorAll('h1,h2,h3,p,li,dd,dt,td,th,summary,figcaption,caption')) {
    if (!isSeen(element) || element.closest('.scroll') !== null) continue;
    const box = element.getBoundingClientRect();
    if (box.right > window.innerWidth + 1 || element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow !== 'visible')
      faults.push('cut off: ' + element.textContent.slice(0, 60));
  }
  return faults;
})()`;

const SCREENS = [
  { name: 'a desk', width: 1440, height: 900, colorScheme: 'light' },
  { name: 'a desk in the dark', width: 1440, height: 900, colorScheme: 'dark' },
  { name: 'a tablet', width: 820, height: 1100, colorScheme: 'light' },
  { name: 'a phone', width: 390, height: 844, colorScheme: 'light' },
  { name: 'a small phone in the dark', width: 340, height: 640, colorScheme: 'dark' },
] as const;

describe.skipIf(CHROMIUM === null)('a report in a browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    const bars = place.write('WAVE-1h.csv', waveCsv(2_000));
    const run = p('run');
    const study = ['--bars', bars, '--fee-bps', '3'];
    expect((await runCli('backtest', SMA, ...study, '--slippage-bps', '2', '--out', run)).code).toBe(0);
    expect((await runCli('worth', run)).code).toBe(0);
    const walk = [
      '--train',
      '20d',
      '--test',
      '10d',
      '--workers',
      '1',
      '--param',
      'fast=3,5,8',
      '--param',
      'slow=20,30',
    ];
    expect((await runCli('walk-forward', SMA, ...study, ...walk, '--out', p('walk'))).code).toBe(0);
    const grid = [
      '--engine',
      'loop',
      '--param',
      'fast=2:30:2',
      '--param',
      'slow=10:60:5',
      '--param',
      'mode=long-flat,long-short',
    ];
    expect(
      (
        await runCli(
          'sweep',
          SMA,
          ...study,
          ...grid,
          '--where',
          'fast < slow',
          '--workers',
          '1',
          '--out',
          p('sweep'),
        )
      ).code,
    ).toBe(0);
    expect((await runCli('report', run, '--walk-forward', p('walk'), '--out', p('run.html'))).code).toBe(0);
    expect((await runCli('report', p('sweep'), '--out', p('sweep.html'))).code).toBe(0);
    expect((await runCli('report', p('walk'), '--out', p('walk.html'))).code).toBe(0);
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    place.remove();
  });

  /** Opens a page and tells what it said and asked for. */
  async function open(
    file: string,
    screen: (typeof SCREENS)[number],
  ): Promise<{ page: Page; said: string[] }> {
    const { width, height, colorScheme } = screen;
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) said.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return { page, said };
  }

  for (const name of ['run', 'sweep', 'walk']) {
    it.each(SCREENS)(
      `fits ${name}.html to $name`,
      async (screen) => {
        const { page, said } = await open(p(`${name}.html`), screen);
        expect(await page.evaluate(FAULTS)).toEqual([]);
        expect(said).toEqual([]);
        await page.close();
      },
      60_000,
    );
  }

  it('finds text that is cut off, that overlaps and a page that is too wide', async () => {
    const svg = '<svg viewBox="0 0 300 50" width="300" height="50"><title>planted</title>';
    const bad = `<!doctype html><meta charset="utf-8"><h1>x</h1>${svg}<text x="290" y="30" font-size="14">beyond</text></svg>${svg}<text x="10" y="30" font-size="14">one thing</text><text x="30" y="32" font-size="14">another</text></svg><div style="width:2000px">wide</div>`;
    const file = join(place.dir, 'bad.html');
    writeFileSync(file, bad);
    const { page } = await open(file, SCREENS[0]);
    const faults = (await page.evaluate(FAULTS)) as string[];
    expect(faults.join('\n')).toMatch(/too wide/);
    expect(faults.join('\n')).toMatch(/"beyond" is cut off/);
    expect(faults.join('\n')).toMatch(/"one thing" lies over "another"/);
    await page.close();
  });

  it('sorts and filters the table of a sweep', async () => {
    const { page, said } = await open(p('sweep.html'), SCREENS[0]);
    const table = page.locator('#table .table');
    const column = (n: number) =>
      table.locator(`tbody tr:not([hidden]) > :nth-child(${n})`).allTextContents();
    const before = await column(2);
    await table.locator('button.sort', { hasText: 'fast' }).click();
    const falling = (await column(2)).map(Number);
    expect(falling).toEqual(before.map(Number).sort((a, b) => b - a));
    await table.locator('button.sort', { hasText: 'fast' }).click();
    expect((await column(2)).map(Number)).toEqual(falling.reverse());
    await table.locator('input').fill('fast<10 mode=long-short');
    const left = await column(2);
    expect(left.length).toBeGreaterThan(0);
    expect(left.every((value) => Number(value) < 10)).toBe(true);
    expect(new Set(await column(4))).toEqual(new Set(['long-short']));
    expect(said).toEqual([]);
    await page.close();
  });

  it('runs no script but its own', async () => {
    const { page, said } = await open(p('run.html'), SCREENS[0]);
    const ran = await page.evaluate(
      `(() => { const s = document.createElement('script'); s.textContent = 'window.stranger = 1'; document.body.append(s); return window.stranger ?? null; })()`,
    );
    expect(ran).toBeNull();
    expect(said.join(' ')).toMatch(/Content Security Policy/);
    await page.close();
  });
});
