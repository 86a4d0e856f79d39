import { useEffect, useEffectEvent } from 'react';
import { createStore } from '../api/store.ts';
import { PAGES } from '../pages/registry.ts';
import { stopping } from './stop.tsx';
import { theme } from './theme.ts';

export const palette = createStore(false);
export const help = createStore(false);

export interface Shortcut {
  readonly keys: readonly string[];
  readonly says: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['Ctrl', 'K'], says: 'Commands: go anywhere, do anything' },
  { keys: ['?'], says: 'This help' },
  { keys: ['Shift', 'S'], says: 'Stop: entries, flatten, kill' },
  { keys: ['Shift', 'D'], says: 'Dark or light' },
  { keys: ['Ctrl', '/'], says: 'Ask about the running system' },
  { keys: ['/'], says: 'The filter of the page' },
  { keys: ['Esc'], says: 'Close what is open' },
  ...PAGES.map((page) => ({ keys: ['g', page.key], says: page.title })),
];

const PAIR_MS = 1_200;

export function toggleTheme(): void {
  theme.set(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Keys of the whole console; silent while somebody types or a dialog is open. */
export function useShortcuts(go: (path: string) => void): void {
  const press = useEffectEvent((event: KeyboardEvent, pair: { at: number }) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      palette.set(!palette.get());
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]') !== null) return;
    const second = Date.now() - pair.at < PAIR_MS;
    pair.at = 0;
    const page = second ? PAGES.find((each) => each.key === event.key) : undefined;
    if (page !== undefined) go(page.path);
    else if (event.key === 'g') pair.at = Date.now();
    else if (event.key === '?') help.set(true);
    else if (event.key === 'S') stopping.set(true);
    else if (event.key === 'D') toggleTheme();
    else if (event.key === '/') document.querySelector<HTMLElement>('[data-filter]')?.focus();
    else return;
    event.preventDefault();
  });
  useEffect(() => {
    const pair = { at: 0 };
    const listen = (event: KeyboardEvent) => press(event, pair);
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}
