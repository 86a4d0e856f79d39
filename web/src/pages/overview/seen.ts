import { useEffect, useRef, useState } from 'react';
import { createKept } from '../../api/store.ts';

type Seen = Readonly<Record<string, number>>;

const seen = createKept<Seen>(
  'seen',
  (kept) => {
    try {
      const value: unknown = JSON.parse(kept ?? '{}');
      return typeof value === 'object' && value !== null ? (value as Seen) : {};
    } catch {
      return {};
    }
  },
  (value) => JSON.stringify(value),
);

/**
 * Until when this browser has seen a portfolio, in the time of the portfolio (a replay has its own), and how to say that it
 * has seen everything up to `at`. What is known when the page is left counts as seen.
 */
export function useSeen(
  portfolio: string,
  at: number | null,
): { readonly since: number | null; readonly mark: () => void } {
  const [since, setSince] = useState<number | null>(() => seen.get()[portfolio] ?? null);
  const latest = useRef(at);
  latest.current = at;
  useEffect(() => {
    setSince(seen.get()[portfolio] ?? null);
    const keep = () => {
      if (latest.current !== null) seen.set({ ...seen.get(), [portfolio]: latest.current });
    };
    window.addEventListener('pagehide', keep);
    return () => {
      window.removeEventListener('pagehide', keep);
      keep();
    };
  }, [portfolio]);
  const mark = () => {
    if (at === null) return;
    seen.set({ ...seen.get(), [portfolio]: at });
    setSince(at);
  };
  return { since, mark };
}
