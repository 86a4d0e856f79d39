import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  consolePages,
  DESK,
  enterFirst,
  goTo,
  isOnScreen,
  type Opened,
  openWindow,
  type PageEntry,
  PHONE,
  settled,
} from '../support/browser-page.ts';
import { type StagedProgram, stageProgram } from '../support/browser-program.ts';
import { CHROMIUM, startBrowser } from '../support/chromium.ts';

type State = Awaited<ReturnType<ReturnType<Opened['page']['context']>['storageState']>>;

const CLICKS_MOST = 2;

describe.skipIf(CHROMIUM === null)('a walk through the console', () => {
  let program: StagedProgram;
  let browser: Browser;
  let desk: Opened;
  let pages: readonly PageEntry[];
  let state: State;

  beforeAll(async () => {
    [program, browser, pages] = await Promise.all([stageProgram(), startBrowser(), consolePages()]);
    desk = await openWindow(browser, { viewport: DESK });
  });
  afterAll(async () => {
    await browser?.close();
    await program?.close();
  });

  /** Equity, the last decision and the stop button, none of them scrolled to or covered. */
  async function expectFirstScreen({ page }: Opened): Promise<void> {
    await page.getByTestId('last-decision').waitFor();
    expect(await page.evaluate('scrollY')).toBe(0);
    expect(await page.getByTestId('equity').textContent()).toMatch(/^\d[\d,\s]*\.\d\d\sUSDT$/);
    expect(await isOnScreen(page.getByTestId('equity'))).toBe(true);
    expect(await isOnScreen(page.getByRole('button', { name: 'STOP' }))).toBe(true);
    expect(await isOnScreen(page.getByTestId('last-decision'))).toBe(true);
  }

  it('changes the one-time password at the first log in, and nobody else gets in with it', async () => {
    const { beginning } = program;
    await enterFirst(desk.page, beginning);
    state = await desk.page.context().storageState();
    const stranger = await openWindow(browser, { viewport: DESK });
    await stranger.page.goto(`${beginning.url}/risk`);
    await stranger.page.getByLabel('Name').fill(beginning.name);
    await stranger.page.getByLabel('Password', { exact: true }).fill(beginning.password);
    expect(stranger.faults).toEqual([]);
    await stranger.page.getByRole('button', { name: 'Log in' }).click();
    await stranger.page.getByRole('alert').waitFor();
    expect(await stranger.page.getByRole('button', { name: 'STOP' }).count()).toBe(0);
    await stranger.page.context().close();
  });

  it('shows equity, the last decision and the stop button at once', async () => {
    await expectFirstScreen(desk);
  });

  it('reaches every page with at most two clicks', async () => {
    expect(pages.map(({ title }) => title)).toEqual([
      'Overview',
      'Market',
      'Positions and orders',
      'Risk',
      'Matrix',
      'Decisions',
      'Sources',
      'Research',
      'Journal',
      'Desks',
      'Alerts',
      'Users',
      'Settings',
      'System',
    ]);
    for (const entry of pages.slice(1)) {
      expect(await goTo(desk.page, entry), entry.title).toBeLessThanOrEqual(CLICKS_MOST);
      expect(new URL(desk.page.url()).pathname).toBe(entry.path);
      await goTo(desk.page, pages[0]!);
    }
  });

  it('goes everywhere by keys, and nowhere while somebody types', async () => {
    const { page } = desk;
    for (const { key, title } of [...pages.slice(1), pages[0]!]) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.locator('main h1').filter({ hasText: title }).waitFor();
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const before = await page.locator('html').getAttribute('data-theme');
    await page.keyboard.press('Shift+D');
    await page.locator(`html:not([data-theme="${before}"])`).waitFor();
    await page.keyboard.press('Shift+D');
    await page.keyboard.press('Shift+S');
    const stop = page.getByRole('dialog', { name: /^Stop/ });
    await stop.waitFor();
    expect(await stop.getByRole('button', { name: 'Kill…' }).isEnabled()).toBe(true);
    await page.keyboard.press('Escape');
    await stop.waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await settled(page, 'Decisions');
    await page.keyboard.press('/');
    await page.keyboard.type('gr');
    await settled(page, 'Decisions');
  });

  it('goes and acts by the palette of commands', async () => {
    const { page } = desk;
    await page.locator('main').focus();
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Commands' });
    await palette.getByRole('combobox').fill('journ');
    await page.keyboard.press('Enter');
    await settled(page, 'Journal');
    await page.keyboard.press('Control+k');
    await palette.getByRole('combobox').fill('kill');
    await page.keyboard.press('Enter');
    const act = page.getByRole('alertdialog', { name: 'Kill switch' });
    await act.getByLabel('Reason').waitFor();
    await page.keyboard.press('Escape');
    await act.waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await palette.getByRole('combobox').fill('nothing is called so');
    expect(await palette.getByRole('option').count()).toBe(0);
    await page.keyboard.press('Escape');
    await palette.waitFor({ state: 'detached' });
  });

  it('is a console on a phone too', async () => {
    const phone = await openWindow(browser, {
      viewport: PHONE,
      isMobile: true,
      hasTouch: true,
      storageState: state,
    });
    await phone.page.goto(program.beginning.url);
    await settled(phone.page, 'Overview');
    await expectFirstScreen(phone);
    for (const entry of pages.slice(1)) {
      expect(await goTo(phone.page, entry), entry.title).toBeLessThanOrEqual(CLICKS_MOST);
      await goTo(phone.page, pages[0]!);
    }
    expect(phone.faults).toEqual([]);
    await phone.page.context().close();
  });

  it('says nothing to the console of the browser, and no request failed', () => {
    expect(desk.faults).toEqual([]);
  });
});
