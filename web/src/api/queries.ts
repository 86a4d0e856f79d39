import type { ResponseOf, RouteId } from '@contract';
import { QueryClient, type UseQueryResult, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { call, type Sending } from './client.ts';
import { asRefused, type Refused } from './errors.ts';
import { createKept, useStore } from './store.ts';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: Refused;
  }
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < 2 && [0, 502, 503, 504].includes(asRefused(error).status),
      retryDelay: (attempt) => Math.min(8_000, 800 * 2 ** attempt),
    },
    mutations: { retry: false },
  },
});

/** The portfolio that is looked at; null before the first is known. */
export const portfolio = createKept<string | null>(
  'portfolio',
  (kept) => kept,
  (value) => value,
);

export function usePortfolio(): string | null {
  return useStore(portfolio);
}

/** Key of what a route answered; begins with the route's id, so that `[id]` names all of them. */
export function keyOf(id: RouteId, name: string | null, sent: object = {}): readonly unknown[] {
  return [id, name, sent];
}

interface Options {
  readonly enabled?: boolean;
  /** Ask again after so long, ms. What changes with the market is told by the live feed and needs none. */
  readonly every?: number;
  readonly keepOld?: boolean;
}

type Loose = { readonly query?: Readonly<Record<string, unknown>> };

function within(sent: object, name: string | null): object {
  const loose = sent as Loose;
  return { ...sent, query: name === null ? loose.query : { portfolio: name, ...loose.query } };
}

/** The answer of a GET route for the portfolio that is looked at, kept fresh by the live feed. */
export function useAsk<K extends RouteId>(
  id: K,
  sent: Sending<K>,
  options: Options = {},
): UseQueryResult<ResponseOf<K>, Refused> {
  const name = usePortfolio();
  return useQuery<ResponseOf<K>, Refused>({
    queryKey: keyOf(id, name, sent),
    queryFn: ({ signal }) => calling(id, within(sent, name), signal),
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
    ...(options.keepOld === true
      ? { placeholderData: (old: ResponseOf<K> | undefined) => old as never }
      : {}),
  });
}

type Page<K extends RouteId> = ResponseOf<K> extends { readonly items: readonly (infer I)[] } ? I : never;

export interface Paged<I> {
  readonly items: readonly I[];
  readonly loading: boolean;
  readonly error: Refused | null;
  readonly more: boolean;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
  readonly again: () => void;
}

/** A list that is read page by page, newest first; pages run on by cursor. */
export function usePages<K extends RouteId>(id: K, sent: Sending<K>, options: Options = {}): Paged<Page<K>> {
  const name = usePortfolio();
  type Read = { items: Page<K>[]; next: string | null };
  const pages = useInfiniteQuery({
    queryKey: keyOf(id, name, { pages: true, ...sent }),
    queryFn: ({ signal, pageParam }) => {
      const asked = within(sent, name) as Loose;
      const query = pageParam === null ? asked.query : { ...asked.query, cursor: pageParam };
      return calling(id, { ...asked, query }, signal) as Promise<unknown> as Promise<Read>;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last: Read) => last.next,
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
    placeholderData: (old) => (options.keepOld === true ? old : undefined),
  });
  return {
    items: pages.data?.pages.flatMap((page) => page.items) ?? [],
    loading: pages.isPending,
    error: pages.data === undefined ? pages.error : null,
    more: pages.hasNextPage,
    loadingMore: pages.isFetchingNextPage,
    loadMore: () => void pages.fetchNextPage(),
    again: () => void pages.refetch(),
  };
}

/** {@link call} with what was typed by a hook already. */
function calling<K extends RouteId>(id: K, sent: object, signal: AbortSignal): Promise<ResponseOf<K>> {
  const loosely = call as (id: K, sent: object, manner: { signal: AbortSignal }) => Promise<ResponseOf<K>>;
  return loosely(id, sent, { signal });
}

/** Has every answer of these routes asked for again where it is on the screen. */
export function refresh(...ids: readonly RouteId[]): void {
  for (const id of ids) void queries.invalidateQueries({ queryKey: [id] });
}
