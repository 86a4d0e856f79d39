import type { ReactNode } from 'react';
import { Badge } from './badge.tsx';
import { percent } from './format.ts';

interface Props {
  readonly name: string;
  /** What is used of what is allowed; more than 1 is over it. Null: nobody can say, or there is no limit. */
  readonly share: number | null;
  readonly used: ReactNode;
  readonly maximum: ReactNode;
  readonly note?: ReactNode;
}

const R = 34;
const LENGTH = Math.PI * R;
const NEAR = 0.8;

/** Half a dial: how much of a limit is used. Near and over are said in words as well. */
export function Gauge({ name, share, used, maximum, note }: Props) {
  const filled = share === null ? 0 : Math.max(0, Math.min(1, share));
  const state = share === null ? 'none' : share > 1 ? 'over' : share >= NEAR ? 'near' : 'fine';
  const stroke = state === 'over' ? 'stroke-danger' : state === 'near' ? 'stroke-warn' : 'stroke-gain';
  const says = share === null ? `${name}: no limit` : `${name}: ${percent(share, 0)} of the limit used`;
  return (
    <div className="flex min-w-0 flex-col items-center gap-0.5 px-2 py-3 text-center">
      <div className="relative">
        <svg role="img" aria-label={says} viewBox="0 0 84 48" className="h-14 w-24">
          <path d="M8 43A34 34 0 0 1 76 43" fill="none" strokeWidth="8" className="stroke-hover" />
          {filled > 0 && (
            <path
              d="M8 43A34 34 0 0 1 76 43"
              fill="none"
              strokeWidth="8"
              strokeDasharray={`${filled * LENGTH} ${LENGTH}`}
              className={stroke}
            />
          )}
        </svg>
        <span className="absolute inset-x-0 bottom-0 text-sm font-semibold">
          {share === null ? '–' : percent(share, 0)}
        </span>
      </div>
      <p className="max-w-full truncate text-sm font-medium" title={name}>
        {name}
      </p>
      <p className="text-xs text-soft">
        {used}
        {share === null ? ', no limit' : <> / {maximum}</>}
      </p>
      {note !== undefined && <p className="line-clamp-2 text-xs text-muted">{note}</p>}
      {state === 'near' && (
        <Badge tone="warn" icon="warning">
          near
        </Badge>
      )}
      {state === 'over' && (
        <Badge tone="danger" icon="warning">
          over
        </Badge>
      )}
    </div>
  );
}
