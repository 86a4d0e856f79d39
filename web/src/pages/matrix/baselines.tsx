import type { ResponseOf } from '@contract';
import { decimal, percent } from '../../ui/format.ts';

type Targets = NonNullable<ResponseOf<'drift'>['baselines']>;

/** Figures that came with the strategy's description, marked as what they are. */
export function Baselines({ baselines }: { readonly baselines: Targets | null }) {
  if (baselines === null) return null;
  const { profitFactor, winRate, profitUsd, trades, use } = baselines;
  return (
    <p className="text-xs text-muted">
      <strong className="font-medium text-soft">Display targets</strong> of the strategy's description: profit
      factor {profitFactor.from} to {profitFactor.to}, win rate {percent(winRate.from, 1)} to{' '}
      {percent(winRate.to, 1)}, {decimal(profitUsd, 0, true)} USD in about {decimal(trades, 0)} trades ({use}
      ).
    </p>
  );
}
