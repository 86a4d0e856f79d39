import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';

/** A choice that is kept in the address, so that it can be linked to and survives a reload. */
export function useQueryState(name: string): readonly [string, (value: string) => void] {
  const search = useSearch();
  const [location, go] = useLocation();
  const set = useCallback(
    (value: string) => {
      const next = new URLSearchParams(window.location.search);
      if (value === '') next.delete(name);
      else next.set(name, value);
      const text = next.toString();
      go(text === '' ? location : `${location}?${text}`, { replace: true });
    },
    [go, location, name],
  );
  return [new URLSearchParams(search).get(name) ?? '', set];
}
