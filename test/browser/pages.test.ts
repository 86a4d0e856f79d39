import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJournal } from '#adapters';
import { askAbout } from '../../src/apps/runner/control.ts';
import {
  consolePages,
  DESK,
  enterFirst,
  goTo,
  type Opened,
  openWindow,
  type PageEntry,
  Screenshots,
  settled,
  WAIT_MS,
} from '../support/browser-page.ts';
import { type StagedProgram, stageProgram } from '../support/browser-program.ts';
import { CHROMIUM, startBrowser } from '../support/chromium.ts';
import { CutLine } from '../support/cut-line.ts';

const SOON = { timeout: WAIT_MS, interval: 50 };
const INSTRUMENTS = 8;
const BAR_MS = 300_000;
/** For what is not the console's: a job is a program of its own, on a machine that may be busy. */
const JOB = { timeout: 120_000 };
/** What a request says that was under way when the line was cut, or that found it cut. */
const LINE_IS_CUT = /ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET|NETWORK)|WebSocket connection/;

interface JobWord {
  readonly kind: string;
  readonly state: string;
  readonly progress: number | null;
}

describe.skipIf(CHROMIUM === null)('the pages of the console, beside a running portfolio', () => {
  let program: StagedProgram;
  let browser: Browser;
  let line: CutLine;
  let console: Opened;
  let page: Page;
  let pages: readonly PageEntry[];
  let shots: Screenshots;
  /** What the live feed said of jobs, in order. */
  const jobsTold: JobWord[] = [];

  beforeAll(async () => {
    shots = new Screenshots();
    [program, browser, pages] = await Promise.all([stageProgram(), startBrowser(), consolePages()]);
    line = await CutLine.to(program.beginning.url);
    console = await openWindow(browser, { viewport: DESK });
    page = console.page;
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        const message = JSON.parse(String(payload)) as { type: string; data: JobWord };
        if (message.type === 'job') jobsTold.push(message.data);
      }),
    );
    await enterFirst(page, { ...program.beginning, url: line.url });
    await page.evaluate('window.sinceTheFirstLoad = true');
  });
  afterAll(async () => {
    await browser?.close();
    await line?.close();
    await program?.close();
  });

  const open = (path: string) => goTo(page, pages.find((entry) => entry.path === path)!);
  const table = (label: string) => page.getByRole('table', { name: label });
  const rows = (label: string) => table(label).locator('tbody tr');
  const panel = (title: string) => page.getByRole('region', { name: title, exact: true });
  /** Waits until there are some, and until nothing loads any more. */
  const some = async (of: Locator, least = 1) => {
    await expect.poll(() => of.count(), SOON).toBeGreaterThanOrEqual(least);
    await settled(page);
  };
  const tab = async (name: string) => {
    await page.getByRole('tab', { name, exact: true }).click();
    await settled(page);
  };
  const figure = async (name: string) => {
    const value = page.locator('dl > div').filter({ has: page.locator(`dt:text-is("${name}")`) });
    return (await value.locator('dd').first().textContent()) ?? '';
  };
  /** Fills in why, and says yes to the question that comes then. */
  const act = async (verb: string, reason: string, word?: string) => {
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill(reason);
    if (word !== undefined) await dialog.getByLabel(`Type ${word}`).fill(word);
    await dialog.getByRole('button', { name: verb, exact: true }).click();
    const yes = dialog.getByRole('button', { name: `Yes, ${verb.toLowerCase()}` });
    await yes.waitFor();
    return async () => {
      await yes.click();
      await dialog.waitFor({ state: 'detached' });
    };
  };
  const status = async () => (await askAbout(program.folder, 'status'))!;
  const untouched = () => page.evaluate('window.sinceTheFirstLoad === true');

  describe('show what there is', () => {
    afterAll(async () => expect(await page.locator('main [role=alert]').count()).toBe(0));

    it('Overview', async () => {
      await open('/');
      await some(rows('Open positions'));
      await some(rows('Recent trades'), 5);
      await some(rows('Signals'), 5);
      await some(panel('Equity, USDT').locator('svg path'));
      expect(Number(await figure('Trades'))).toBeGreaterThan(5);
      for (const title of ['Circuit breaker', 'Desks', 'Notifications']) await panel(title).waitFor();
      expect(await page.getByTestId('last-decision').textContent()).toMatch(/USDT/);
    });

    it('Market', async () => {
      await open('/market');
      expect(await page.getByRole('list', { name: 'Instruments' }).getByRole('button').count()).toBe(
        INSTRUMENTS,
      );
      const chart = page.getByTestId('chart');
      await some(chart.locator('canvas'));
      await page.getByRole('button', { name: /^BTCUSDT/ }).click();
      await settled(page);
      await page.getByRole('region', { name: 'Chart of BTCUSDT.SYNTHETIC, 5m bars' }).waitFor();
      const legend = page.getByTestId('chart-legend');
      await expect.poll(() => legend.textContent(), SOON).toMatch(/C.*ema 20.*rsi 14/);
      await page.getByRole('button', { name: 'Table', exact: true }).click();
      await some(rows('Bars of BTCUSDT.SYNTHETIC'), 20);
      await page.getByRole('button', { name: 'Chart', exact: true }).click();
      await some(rows('Last decisions about BTCUSDT.SYNTHETIC'));
    });

    it('Positions and orders', async () => {
      await open('/positions');
      await some(rows('Open positions'));
      await some(rows('Orders'));
      await panel('Open positions').locator('tbody button').first().click();
      expect(await page.getByRole('heading', { name: /^Exits ahead of/ }).count()).toBe(1);
      await tab('Fills');
      await some(rows('Fills'), 10);
      await tab('Trades');
      await some(rows('Closed trades'), 5);
      await tab('All orders');
      await some(rows('Orders'), 20);
    });

    it('Risk', async () => {
      await open('/risk');
      expect(await page.getByRole('img', { name: /of the limit used$/ }).count()).toBeGreaterThan(8);
      await some(rows('Exposure'));
      await some(rows('What could move the breaker'), 4);
      expect(await figure('Gross exposure')).toMatch(/^[1-9]/);
      const matrix = page.getByRole('table', { name: /^Correlation/ });
      expect(await matrix.locator('tbody tr').count()).toBe(INSTRUMENTS);
    });

    it('Matrix', async () => {
      await open('/matrix');
      const cards = page.getByRole('article');
      await some(cards, INSTRUMENTS);
      expect(await cards.first().getByText('Profit factor').count()).toBe(1);
      await cards.first().getByRole('link').click();
      await some(rows('What the gates said last'));
      expect(await page.getByText('Nothing is compared').count()).toBe(INSTRUMENTS);
      await page.getByRole('link', { name: 'All configs' }).click();
      await some(cards, INSTRUMENTS);
    });

    it('Sources', async () => {
      await open('/sources');
      await some(rows('Scorecards'), 2);
      await some(page.getByRole('region', { name: /^Reliability of/ }).locator('circle'), 2);
      await expect.poll(() => page.getByText('entry-threshold').count(), SOON).toBeGreaterThan(0);
    });

    it('Journal', async () => {
      await open('/journal');
      await some(rows('Entries of the journal'), 20);
      expect(Number((await figure('Entries')).replace(/\D/g, ''))).toBeGreaterThan(9_000);
      await page.getByLabel('Search in entries').fill('operator');
      await page.getByLabel('Search in entries').fill('');
      await page.getByRole('button', { name: 'Verify the chain' }).click();
      await page.getByText('The hash chain is whole.').waitFor(JOB);
    });

    it('Desks', async () => {
      await open('/desks');
      await page.getByLabel('entryConfidence').waitFor();
      expect(await page.getByLabel('entryConfidence').inputValue()).toBe('0.6');
      await panel('History').waitFor();
    });

    it('Alerts, Users, Settings and System', async () => {
      await open('/alerts');
      await tab('Rules and channels');
      await tab('Deliveries');
      await open('/users');
      await some(rows('Users'));
      await expect.poll(() => page.getByText('password-changed').count(), SOON).toBeGreaterThan(0);
      await open('/settings');
      await tab('Sessions');
      await some(rows('Sessions'));
      await tab('API tokens');
      await tab('Configuration');
      await open('/system');
      await some(rows('Feeds'));
      await some(rows('Queues'), 3);
      expect(await page.getByText('Turn', { exact: true }).count()).toBe(1);
      await tab('Jobs and schedule');
      await tab('Logs');
      await some(page.getByRole('group', { name: 'Lines of the log' }).getByRole('listitem'));
    });
  });

  it('bring what happens without a reload', async () => {
    await open('/');
    const equity = page.getByTestId('equity');
    const first = await equity.textContent();
    await expect.poll(() => equity.textContent(), SOON).not.toBe(first);
    await open('/market');
    const legend = page.getByTestId('chart-legend').locator('span').first();
    await expect.poll(() => legend.textContent(), SOON).toMatch(/UTC/);
    const bar = await legend.textContent();
    await expect.poll(() => legend.textContent(), SOON).not.toBe(bar);
    await open('/decisions');
    const stream = rows('Decisions');
    await some(stream, 20);
    const newest = () => stream.first().locator('a').getAttribute('href');
    const seen = await newest();
    await expect.poll(newest, SOON).not.toBe(seen);
    expect(await untouched()).toBe(true);
  });

  it('show where an idea was cut, and the nearest change that would have let it pass', async () => {
    await open('/decisions');
    await page.getByRole('button', { name: 'Wait', exact: true }).click();
    await page.getByLabel('Cut by').selectOption('entry-threshold');
    await expect.poll(() => rows('Decisions').filter({ hasNotText: 'Wait' }).count(), SOON).toBe(0);
    await some(rows('Decisions'));
    await rows('Decisions').first().locator('a').click();
    const way = page.getByRole('list', { name: 'The way of the idea, stage by stage' });
    await way.waitFor();
    const stages = await way.getByRole('listitem').allTextContents();
    expect(stages).toHaveLength(7);
    const cut = stages.findIndex((stage) => stage.includes('cut here'));
    expect(stages[cut]).toContain('entry-threshold');
    expect(stages.slice(0, cut).every((stage) => /passed|not asked/.test(stage))).toBe(true);
    expect(stages.slice(cut + 1).every((stage) => stage.includes('never reached'))).toBe(true);
    const nearest = page.getByText('Smallest change that would have let it pass').locator('..');
    expect(await nearest.textContent()).toMatch(/0\.\d+ confidence was measured, >= 0\.6 is needed/);
    await page.getByRole('link', { name: 'All decisions' }).click();
    await page.getByRole('button', { name: 'Entered', exact: true }).click();
    await expect.poll(() => rows('Decisions').filter({ hasNotText: 'Entered' }).count(), SOON).toBe(0);
    await some(rows('Decisions'));
    await rows('Decisions').first().locator('a').click();
    await some(panel('Size and orders').getByRole('listitem'));
  });

  it('change a limit with a reason and a second confirmation, and it holds', async () => {
    await open('/risk');
    const edit = page.getByRole('dialog', { name: 'Limits of the portfolio' });
    await page.getByRole('button', { name: 'Change limits…' }).click();
    await edit.getByLabel('Heat, %').fill('0');
    expect(await edit.getByRole('button', { name: 'Go on…' }).isDisabled()).toBe(true);
    await edit.getByLabel('Heat, %').fill('12.5');
    await edit.getByRole('button', { name: 'Go on…' }).click();
    expect(await page.getByRole('alertdialog').textContent()).toMatch(/Heat: .* → 12\.5 %/);
    const yes = await act('Change limits', 'less heat for the night');
    expect((await askAbout(program.folder, 'risk'))?.portfolioLimits.inForce.heatMax ?? null).toBeNull();
    await yes();
    await expect
      .poll(async () => (await askAbout(program.folder, 'risk'))?.portfolioLimits.inForce.heatMax, SOON)
      .toBe(0.125);
    await page.getByText(/\/ 12\.5/).waitFor();
    await page.getByRole('button', { name: 'Change limits…' }).click();
    expect(await edit.getByLabel('Heat, %').inputValue()).toBe('12.5');
    await page.keyboard.press('Escape');
  });

  it('stop entries, flatten, and allow entries again', async () => {
    await open('/positions');
    await some(rows('Open positions'));
    const dialog = page.getByRole('dialog', { name: /^Stop/ });
    await page.getByRole('button', { name: 'STOP' }).click();
    await dialog.getByRole('button', { name: 'Stop entries' }).click();
    const asked = page.getByRole('alertdialog');
    await asked.getByLabel('Reason').fill('first no more of them');
    await asked.getByRole('button', { name: 'Stop entries' }).click();
    await page.getByText('ENTRIES STOPPED').waitFor();
    await page.getByRole('button', { name: 'Flatten all…' }).click();
    await (await act('Flatten', 'then none at all'))();
    await page.getByText('No open position').waitFor();
    await tab('Working orders');
    await page.getByText('No working order').waitFor();
    expect((await status()).positions).toEqual([]);
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search commands' }).fill('allow');
    await page.keyboard.press('Enter');
    await page.getByText('ENTRIES STOPPED').waitFor({ state: 'detached' });
  });

  it('start a backtest on the prices that come with the program, follow it and show its report', async () => {
    await open('/research');
    await page.getByRole('button', { name: 'Start a study' }).click();
    const form = page.getByRole('dialog', { name: 'Start a study' });
    await form.getByLabel('Parameters').fill('nonsense');
    await form.getByRole('button', { name: 'Start', exact: true }).click();
    await form.getByText(/write name=value/).waitFor();
    await form.getByLabel('Parameters').fill('');
    await form.getByRole('button', { name: 'Start', exact: true }).click();
    await form.waitFor({ state: 'detached' });
    const job = page.getByRole('region', { name: /^Backtest / });
    await job.getByText('done', { exact: true }).waitFor(JOB);
    await job.getByText('Sharpe', { exact: true }).first().waitFor();
    const told = jobsTold.filter(({ kind }) => kind === 'backtest');
    expect(told.filter(({ state }) => state === 'running').length).toBeGreaterThan(0);
    const progress = told.flatMap((word) => word.progress ?? []);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(told.at(-1)).toMatchObject({ state: 'done', progress: 1 });
    const [report] = await Promise.all([
      page.waitForEvent('popup'),
      job.getByRole('link', { name: 'Open report' }).click(),
    ]);
    await report.locator('h1').waitFor();
    expect(await report.locator('svg').count()).toBeGreaterThan(2);
    // a page that somebody else's data went into has no say here
    expect(await report.evaluate('self.origin')).toBe('null');
    await report.close();
    await job.getByRole('button', { name: 'Report here' }).click();
    await page.frameLocator('iframe').locator('h1').waitFor();
    await shots.keep(page, 'backtest-1440-dark');
    await tab('Runs on record');
    await some(rows('Runs on record'));
    await rows('Runs on record').first().getByRole('button').click();
    await page.getByText('The whole record').waitFor();
    await settled(page);
    await shots.keep(page, 'run-1440-dark');
  });

  it('say so when the line is lost, and miss nothing when it is back', async () => {
    expect(console.faults).toEqual([]);
    await open('/system');
    const { at } = await status();
    expect(await figure('Connected again')).toBe('0');
    line.cut();
    const banner = page.getByRole('alert').filter({ hasText: 'Connection lost' });
    await banner.waitFor();
    // what happens meanwhile is what must not be missing afterwards
    await expect.poll(async () => (await status()).at, SOON).toBeGreaterThan(at + 2 * BAR_MS);
    expect(await banner.isVisible()).toBe(true);
    await shots.keep(page, 'line-lost-1440-dark');
    line.mend();
    await banner.getByRole('button', { name: 'Try now' }).click();
    await banner.waitFor({ state: 'detached' });
    await expect.poll(() => figure('Connected again'), SOON).toMatch(/^[1-9]/);
    const before = await figure('Journal position');
    await expect.poll(() => figure('Journal position'), SOON).not.toBe(before);
    for (const name of ['Gaps', 'Seen twice', 'Begun anew']) expect(await figure(name), name).toBe('0');
    const others = console.faults.splice(0).filter((fault) => !LINE_IS_CUT.test(fault));
    expect(others).toEqual([]);
    expect(await untouched()).toBe(true);
  });

  it('know at once when the browser itself is offline', async () => {
    const context = page.context();
    await context.setOffline(true);
    const banner = page.getByRole('alert').filter({ hasText: 'Connection lost' });
    await banner.waitFor();
    await context.setOffline(false);
    await banner.waitFor({ state: 'detached' });
    expect(await figure('Gaps')).toBe('0');
    console.faults.splice(0);
  });

  it('kill, and recover only with the word for it', async () => {
    await open('/risk');
    const held = async () => (await status()).positions.length;
    // the desk may have no idea for a while
    await expect.poll(held, { ...JOB, interval: 100 }).toBeGreaterThan(0);
    await page.keyboard.press('Shift+S');
    await page.getByRole('button', { name: 'Kill…' }).click();
    const yes = await act('Kill', 'something is wrong');
    const before = await held();
    const began = performance.now();
    const until = async (reached: (now: Awaited<ReturnType<typeof status>>) => boolean) => {
      while (!reached(await status())) await sleep(5);
      return Math.round(performance.now() - began);
    };
    const shut = until(({ breaker }) => breaker?.state === 'SHUTDOWN');
    const flat = until(({ positions, workingOrders }) => positions.length === 0 && workingOrders === 0);
    await yes();
    const [shutMs, flatMs] = await Promise.all([shut, flat]);
    const acts = [...readJournal(join(program.folder, 'journal'))].filter(
      ({ kind, text }) => kind === 'event' && text.includes('"action":"kill"'),
    );
    expect(acts).toHaveLength(1);
    expect(JSON.parse(acts[0]!.text)).toMatchObject({
      by: 'admin (console)',
      reason: 'something is wrong',
    });
    // closing orders of a tape are filled at its next prices, which come every two seconds
    process.stdout.write(
      `kill from a browser: in force ${shutMs} ms after the click, ${before} positions closed after ${flatMs} ms\n`,
    );
    const header = page.locator('header').first();
    await header.getByText('SHUTDOWN').waitFor();
    await panel('What moved it').getByText(/kill/i).first().waitFor();
    await shots.keep(page, 'killed-1440-dark');
    await page.getByRole('button', { name: 'Recover…' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Reason').fill('it is mended');
    await dialog.getByLabel('Type RESTART').fill('restart');
    expect(await dialog.getByRole('button', { name: 'Recover', exact: true }).isDisabled()).toBe(true);
    await (await act('Recover', 'it is mended', 'RESTART'))();
    await header.getByText('CLOSED').waitFor();
    expect((await status()).breaker?.state).toBe('CLOSED');
    // what the kill stopped is allowed by a step of its own
    expect((await status()).running).toBe(false);
    await header.getByText('ENTRIES STOPPED').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search commands' }).fill('allow');
    await page.keyboard.press('Enter');
    await header.getByText('ENTRIES STOPPED').waitFor({ state: 'detached' });
    expect((await status()).running).toBe(true);
  });

  it('keep who did what and why', async () => {
    await open('/users');
    for (const reason of [
      'less heat for the night',
      'then none at all',
      'something is wrong',
      'it is mended',
    ])
      await page.getByText(reason).first().waitFor();
    await open('/journal');
    await page.getByLabel('Search in entries').fill('something is wrong');
    await some(rows('Entries of the journal').filter({ hasText: 'something is wrong' }));
    expect(console.faults).toEqual([]);
  });
});
