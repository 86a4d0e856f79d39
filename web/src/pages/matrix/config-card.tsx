import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { SideBadge } from '../../ui/badge.tsx';
import { Gain } from '../../ui/figure.tsx';
import { percent } from '../../ui/format.ts';
import { Band, ModelLine, ParityText, StandingBadge, Verdicts } from './parts.tsx';
import { type Cell, profitFactorText } from './standing.ts';

interface Props {
  readonly cell: Cell;
  readonly at: number;
  /** What the card is called in its row: the timeframe, or the symbol where there is one timeframe alone. */
  readonly name: string;
}

/** One config: how it stands, what it holds and made, and what its model and gates say. */
export function ConfigCard({ cell, at, name }: Props) {
  const { position, trades } = cell;
  return (
    <article
      aria-label={`${cell.symbol} ${cell.timeframe}, desk ${cell.desk}`}
      className={`flex min-w-0 flex-col gap-1.5 rounded border bg-raised px-2.5 py-2 ${cell.killSwitches.length > 0 ? 'border-danger' : 'border-line'}`}
    >
      <header className="flex flex-wrap items-center gap-1.5">
        <Link
          href={`/matrix/${encodeURIComponent(cell.desk)}`}
          title={cell.desk}
          className="font-semibold underline decoration-line-strong underline-offset-2 hover:decoration-ink"
        >
          <span className="sr-only">{cell.symbol} </span>
          {name}
        </Link>
        <StandingBadge cell={cell} at={at} />
        <span className="ml-auto">
          {position === null ? (
            <span className="text-xs text-muted">flat</span>
          ) : (
            <SideBadge side={position.side} />
          )}
        </span>
      </header>
      <dl className="grid grid-cols-3 gap-x-2 gap-y-1 text-sm">
        <Figure name="Today">
          <Gain value={cell.today} />
        </Figure>
        <Figure name="Profit factor">
          <span title={`${trades.n} trades: ${trades.won} won, ${trades.lost} lost`}>
            {profitFactorText(cell)}
          </span>
        </Figure>
        <Figure name="Win rate">{percent(cell.winRate, 1)}</Figure>
        <Figure name="Drawdown">
          <Band cell={cell} />
        </Figure>
        <Figure name="Trades">{trades.n}</Figure>
        <Figure name="Parity">
          <ParityText model={cell.model} />
        </Figure>
      </dl>
      <dl className="text-xs">
        <div className="flex flex-wrap items-center gap-x-1.5">
          <dt className="text-muted">Model</dt>
          <dd>
            <ModelLine model={cell.model} />
          </dd>
        </div>
      </dl>
      <Verdicts decision={cell.decision} />
    </article>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-2xs text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
