import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  axeFindings,
  consolePages,
  cutOff,
  DESK,
  enterFirst,
  goTo,
  type Opened,
  openWindow,
  outOfReach,
  type PageEntry,
  PHONE,
  Screenshots,
  settled,
  tooWide,
} from '../support/browser-page.ts';
import { type StagedProgram, stageProgram } from '../support/browser-program.ts';
import { CHROMIUM, startBrowser } from '../support/chromium.ts';

type State = Awaited<ReturnType<ReturnType<Opened['page']['context']>['storageState']>>;

/** Views with something open over the page that keeps the rest from being used. */
const MODAL = ['chat', 'confirmation', 'study', 'commands', 'keys', 'more', 'stop'];
const isModal = (name: string) => MODAL.includes(name);

const said = (where: string, findings: readonly string[]) => findings.map((each) => `${where}: ${each}`);

const BAD = `
  document.querySelector('main').innerHTML = '<h1>planted</h1><p style="width:2000px">wide</p>' +
    '<p style="width:40px;overflow:hidden;white-space:nowrap">a long text that nobody can read</p>' +
    '<button id="under">Under</button><button aria-hidden="false"></button><p style="color:#777;background:#888">pale</p>';
  const over = document.createElement('div');
  over.style = 'position:absolute;z-index:99;background:#fff';
  const { left, top, width, height } = document.querySelector('#under').getBoundingClientRect();
  Object.assign(over.style, { left: left + 'px', top: top + scrollY + 'px', width: width + 'px', height: height + 'px' });
  document.body.append(over);`;

describe.skipIf(CHROMIUM === null)('how the console looks', () => {
  let program: StagedProgram;
  let browser: Browser;
  let pages: readonly PageEntry[];
  let state: State;
  let shots: Screenshots;
  const faults: string[] = [];

  beforeAll(async () => {
    shots = new Screenshots();
    [program, browser, pages] = await Promise.all([stageProgram(), startBrowser(), consolePages()]);
    const first = await openWindow(browser, { viewport: DESK });
    await enterFirst(first.page, program.beginning);
    state = await first.page.context().storageState();
    await first.page.context().close();
  });
  afterAll(async () => {
    await browser?.close();
    await program?.close();
  });

  /** Every page in turn, then what opens over a page or below it. */
  async function* views(page: Page): AsyncGenerator<string> {
    for (const entry of pages) {
      await goTo(page, entry);
      yield entry.path === '/' ? 'overview' : entry.path.slice(1);
    }
    await goTo(page, pages.find(({ path }) => path === '/decisions')!);
    await page.locator('main a[href^="/decisions/"]').first().click();
    await page.getByText('Where it went').waitFor();
    await settled(page);
    yield 'decision';
    await page.getByRole('button', { name: 'Ask about the running system' }).click();
    await page.getByRole('textbox', { name: /./ }).last().waitFor();
    yield 'chat';
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'STOP' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Flatten…' }).waitFor();
    yield 'stop';
    await page.getByRole('button', { name: 'Flatten…' }).click();
    const act = page.getByRole('alertdialog');
    await act.getByLabel('Reason').fill('to see how it looks');
    await act.getByRole('button', { name: 'Flatten' }).click();
    await act.getByRole('button', { name: 'Yes, flatten' }).waitFor();
    yield 'confirmation';
    await page.keyboard.press('Escape');
    await goTo(page, pages.find(({ path }) => path === '/research')!);
    await page.getByRole('button', { name: 'Start a study' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).waitFor();
    yield 'study';
    for (const [name, key] of [
      ['commands', 'Control+k'],
      ['keys', '?'],
    ] as const) {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor();
      yield name;
    }
    await page.keyboard.press('Escape');
    const more = page.getByRole('button', { name: 'More' });
    if (await more.isVisible()) {
      await more.click();
      await page.getByRole('dialog', { name: 'More' }).waitFor();
      yield 'more';
    }
  }

  it('on a desk, dark and light: nothing is cut off, and axe finds nothing serious', async () => {
    const { page } = await openWindow(browser, { viewport: DESK, storageState: state });
    await page.goto(program.beginning.url);
    await settled(page, 'Overview');
    for await (const name of views(page)) {
      // before a picture is taken, for which the browser lays the page out in another size
      faults.push(...said(name, [...(await tooWide(page)), ...(await cutOff(page))]));
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
        // the other theme differs in nothing but colours
        const findings = await axeFindings(page, colorScheme === 'light' ? 'all' : 'contrast');
        faults.push(...said(`${name} ${colorScheme}`, findings));
        await shots.keep(page, `${name}-1440-${colorScheme}`);
      }
      if (!isModal(name)) faults.push(...said(name, await outOfReach(page)));
    }
    await page.context().close();
    expect(faults.splice(0)).toEqual([]);
  });

  it('on a phone: no page is wider than it, and axe finds nothing serious', async () => {
    const options = { viewport: PHONE, isMobile: true, hasTouch: true, storageState: state };
    const { page } = await openWindow(browser, options);
    await page.goto(program.beginning.url);
    await settled(page, 'Overview');
    for await (const name of views(page)) {
      const found = [...(await tooWide(page)), ...(await cutOff(page)), ...(await axeFindings(page))];
      await shots.keep(page, `${name}-390-dark`);
      if (!isModal(name)) found.push(...(await outOfReach(page)));
      faults.push(...said(`${name} phone`, found));
    }
    await page.context().close();
    expect(faults.splice(0)).toEqual([]);
  });

  it('would not hide it if something were wrong', async () => {
    const { page, faults: told } = await openWindow(browser, { viewport: PHONE, storageState: state });
    await page.goto(`${program.beginning.url}/settings`);
    await settled(page, 'Settings');
    await page.evaluate(BAD);
    expect((await tooWide(page)).join()).toMatch(/px too wide.*sticks out by .*wide/);
    expect((await cutOff(page)).join()).toMatch(/a long text that nobody can read/);
    expect((await outOfReach(page)).join()).toMatch(/BUTTON Under/);
    expect((await axeFindings(page)).join()).toMatch(
      /button-name.*color-contrast|color-contrast.*button-name/,
    );
    await page.evaluate('void fetch("/api/v1/none-such"); setTimeout(() => { throw new Error("planted"); })');
    await expect.poll(() => told.length).toBeGreaterThan(1);
    expect(told.join()).toMatch(/planted/);
    expect(told.join()).toMatch(/404/);
    await page.context().close();
  });

  it('the page to log in fits and has no findings either', async () => {
    const { page } = await openWindow(browser, { viewport: PHONE });
    await page.goto(program.beginning.url);
    await page.getByLabel('Name').waitFor();
    for (const [name, size] of [
      ['390', PHONE],
      ['1440', DESK],
    ] as const) {
      await page.setViewportSize(size);
      faults.push(...said(`log in ${name}`, [...(await tooWide(page)), ...(await axeFindings(page))]));
      await shots.keep(page, `log-in-${name}-dark`);
    }
    expect(faults.splice(0)).toEqual([]);
  });
});
