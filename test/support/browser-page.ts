import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Beginning } from '../../bench/support/console-access.ts';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** How long anything may take on a busy machine before it counts as missing. */
export const WAIT_MS = 30_000;

/** What is known of each page of the console. */
export interface PageEntry {
  readonly path: string;
  readonly title: string;
  readonly key: string;
}

/** The pages that the console itself lists. */
export async function consolePages(): Promise<readonly PageEntry[]> {
  const registry = new URL('../../web/src/pages/registry.ts', import.meta.url).href;
  return ((await import(registry)) as { PAGES: readonly PageEntry[] }).PAGES;
}

export interface Opened {
  readonly page: Page;
  /** What went wrong so far: errors of scripts, of the console, answers of 500 and more, requests that failed. */
  readonly faults: string[];
}

/** A browser window of its own whose faults are written down. */
export async function openWindow(browser: Browser, options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext({ colorScheme: 'dark', ...options });
  context.setDefaultTimeout(WAIT_MS);
  context.setDefaultNavigationTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`script: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    // The question for a second confirmation is an answer of 428, which the browser itself writes down as an error.
    if (/status of 428/.test(message.text())) return;
    faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) faults.push(`${response.status()} ${response.url()}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    // Called off by the page itself: another page was opened meanwhile.
    if (why !== 'net::ERR_ABORTED') faults.push(`${why} ${request.url()}`);
  });
  return { page, faults };
}

/** The password of the administrator after the first log in. */
export const chosenPassword = (beginning: Beginning): string => `chosen-${beginning.password}`;

/** Logs in as at a first start: with the one-time password, which must be changed. Ends on the first screen. */
export async function enterFirst(page: Page, beginning: Beginning): Promise<void> {
  const { url, name, password } = beginning;
  await page.goto(url);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('One-time password').fill(password);
  await page.getByLabel('New password', { exact: true }).fill(chosenPassword(beginning));
  await page.getByLabel('New password again').fill(chosenPassword(beginning));
  await page.getByRole('button', { name: 'Change password' }).click();
  await settled(page, 'Overview');
}

/** Waits until a page is open and nothing on it is loading any more. */
export async function settled(page: Page, title?: string): Promise<void> {
  const heading = page.locator('main h1');
  if (title === undefined) await heading.waitFor();
  else await heading.filter({ hasText: title }).waitFor();
  await page.locator('main output .animate-spin').first().waitFor({ state: 'detached' });
}

/** Goes to a page by a click in the navigation; behind "More" where a phone has no room for it. Gives back the clicks. */
export async function goTo(page: Page, { path, title }: PageEntry): Promise<number> {
  const link = page.locator(`nav[aria-label="Pages"] a[href="${path}"]:visible`).last();
  let clicks = 0;
  if ((await link.count()) === 0) {
    await page.getByRole('button', { name: 'More' }).click();
    clicks += 1;
    await link.waitFor();
  }
  await link.click();
  clicks += 1;
  await settled(page, title);
  return clicks;
}

/** Whether the middle of something is on the screen as it is, and nothing lies over it. */
export function isOnScreen(locator: Locator): Promise<boolean> {
  const look = `(element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const inside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && right > left && bottom > top;
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return inside && hit !== null && (element.contains(hit) || hit.contains(element));
  }`;
  return locator.evaluate(new Function('element', `return (${look})(element)`) as (e: unknown) => boolean);
}

/**
 * Keeps pictures and says where: whole pages in the folder that QUORUM_SCREENSHOTS names, else what is on the screen in a new
 * folder, which takes less time.
 */
export class Screenshots {
  readonly folder: string;
  private readonly fullPage: boolean;

  constructor() {
    const asked = process.env.QUORUM_SCREENSHOTS;
    this.fullPage = asked !== undefined;
    this.folder = asked ?? mkdtempSync(join(tmpdir(), 'quorum-screenshots-'));
    mkdirSync(this.folder, { recursive: true });
    process.stdout.write(`screenshots of the console: ${this.folder}\n`);
  }

  async keep(page: Page, name: string): Promise<void> {
    await page.screenshot({
      path: join(this.folder, `${name}.png`),
      fullPage: this.fullPage,
      animations: 'disabled',
    });
  }
}

/** Wider than the window: elements that stick out and are not in a part that scrolls by itself. Runs in the page. */
const TOO_WIDE = `(() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  const over = document.documentElement.scrollWidth - width;
  if (over > 0) found.push('the page is ' + over + ' px too wide');
  // what is placed absolutely is clipped by what it is placed in alone
  const around = (element) => getComputedStyle(element).position === 'absolute' ? element.offsetParent : element.parentElement;
  const isClipped = (element) => {
    for (let up = around(element); up instanceof HTMLElement && up !== document.body; up = around(up))
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return true;
    return false;
  };
  for (const element of document.querySelectorAll('body *')) {
    if (!(element instanceof HTMLElement)) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0 || box.right <= width + 0.5 || isClipped(element)) continue;
    found.push('sticks out by ' + (box.right - width).toFixed(1) + ' px: ' + element.tagName + '.' + element.className + ' ' + element.textContent.trim().slice(0, 40));
  }
  return found.slice(0, 5);
})()`;

export async function tooWide(page: Page): Promise<string[]> {
  return (await page.evaluate(TOO_WIDE)) as string[];
}

/** Text that is cut off without a way to read it: no title, no scrolling. Runs in the page. */
const CUT_OFF = `(() => {
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element);
    if (element.closest('.sr-only, canvas, svg, [hidden]') !== null || style.visibility === 'hidden') continue;
    if (element.clientWidth <= 1 || element.clientHeight <= 1) continue;
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.closest('[title]') !== null) continue;
    if (/hidden|clip/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1)
      found.push('cut off: ' + element.textContent.trim().slice(0, 60));
  }
  return found.slice(0, 5);
})()`;

export async function cutOff(page: Page): Promise<string[]> {
  return (await page.evaluate(CUT_OFF)) as string[];
}

/** What can be pressed or filled in but is not to be got at, wherever it is scrolled to. Runs in the page. */
const OUT_OF_REACH = `(() => {
  const found = [];
  for (const element of document.querySelectorAll('main :is(button, a[href], input, select, textarea, summary)')) {
    if (element.disabled || element.getClientRects().length === 0 || element.clientWidth === 1) continue;
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = element.getClientRects()[0];
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (hit !== null && (element.contains(hit) || hit.contains(element))) continue;
    const name = element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40);
    found.push('out of reach: ' + element.tagName + ' ' + name);
  }
  scrollTo(0, 0);
  return found.slice(0, 5);
})()`;

export async function outOfReach(page: Page): Promise<string[]> {
  return (await page.evaluate(OUT_OF_REACH)) as string[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Findings of axe that are serious or critical, a line each; of all its rules, or of that about contrast alone. */
export async function axeFindings(page: Page, rules: 'all' | 'contrast' = 'all'): Promise<string[]> {
  if (!(await page.evaluate(`typeof window.axe === 'object'`))) await page.evaluate(AXE);
  return (await page.evaluate(`(async () => {
    // colours on their way to others have the contrast of neither
    const changing = document.getAnimations().filter((each) => each instanceof CSSTransition);
    await Promise.allSettled(changing.map((each) => each.finished));
    const { violations } = await window.axe.run(document, {
      resultTypes: ['violations'],
      ${rules === 'all' ? '' : "runOnly: ['color-contrast'],"}
    });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.slice(0, 4).map(({ target, failureSummary }) =>
        id + ' ' + target.join(' ') + ': ' + failureSummary.split('\\n').slice(1, 3).join(' ').trim()));
  })()`)) as string[];
}
