import { useSyncExternalStore } from 'react';

/** One value outside React that anything may read and write and components can follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(told: () => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const told = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const tell of told) tell();
    },
    subscribe(tell) {
      told.add(tell);
      return () => told.delete(tell);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A value kept in this browser. `read` turns what was kept into a value, whoever wrote it. */
export function createKept<T>(
  key: string,
  read: (kept: string | null) => T,
  write: (value: T) => string | null,
): Store<T> {
  const name = `quorum.${key}`;
  const store = createStore(read(kept(name)));
  return {
    get: store.get,
    subscribe: store.subscribe,
    set(value) {
      store.set(value);
      keep(name, write(value));
    },
  };
}

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    // Storage is full or switched off: the choice lasts until the page is closed.
  }
}
