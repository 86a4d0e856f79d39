import type { ResponseOf } from '@contract';
import { useQuery } from '@tanstack/react-query';
import type { LiveStatus } from '../api/feeding.ts';
import { useAsk, usePortfolio } from '../api/queries.ts';

export type PortfolioItem = ResponseOf<'portfolios'>['items'][number];

export interface Standing {
  readonly portfolio: PortfolioItem | null;
  readonly equity: string | null;
  readonly dayChange: number | null;
  readonly currency: string | null;
  readonly breaker: string | null;
  readonly entries: boolean;
  readonly at: number | null;
}

export function useLiveStatus(): LiveStatus | null {
  const name = usePortfolio();
  const query = useQuery<LiveStatus | null>({
    queryKey: ['live', 'status', name],
    queryFn: () => null,
    enabled: false,
  });
  return query.data ?? null;
}

/** How the chosen portfolio stands: the newest live snapshot, else what was asked for. */
export function useStanding(): Standing {
  const name = usePortfolio();
  const portfolios = useAsk('portfolios', {}, { every: 15_000 });
  const status = useAsk('tradingStatus', {}, { every: 15_000, enabled: name !== null });
  const now = useLiveStatus();
  const portfolio = portfolios.data?.items.find((item) => item.name === name) ?? null;
  return {
    portfolio,
    equity: now?.equity ?? portfolio?.equity ?? null,
    dayChange: now?.day_change ?? portfolio?.dayChange ?? null,
    currency: portfolio?.currency ?? null,
    breaker: now?.breaker ?? status.data?.breaker ?? null,
    entries: now?.is_running ?? portfolio?.entriesAllowed ?? false,
    at: now?.at ?? portfolio?.at ?? null,
  };
}
