import { createKept } from '../api/store.ts';

export type Theme = 'system' | 'dark' | 'light';

const system = matchMedia('(prefers-color-scheme: dark)');

/** Dark, light, or what the system says; `public/theme.js` reads the same key before the first paint. */
export const theme = createKept<Theme>(
  'theme',
  (kept) => (kept === 'dark' || kept === 'light' ? kept : 'system'),
  (value) => (value === 'system' ? null : value),
);

function apply(): void {
  const chosen = theme.get();
  document.documentElement.dataset.theme = chosen === 'system' ? (system.matches ? 'dark' : 'light') : chosen;
}

theme.subscribe(apply);
system.addEventListener('change', apply);

/** Colours as they are now, for canvases; tell charts to draw again on {@link onThemeChange}. */
export function colour(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}

export function onThemeChange(told: () => void): () => void {
  const watch = new MutationObserver(told);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => watch.disconnect();
}
