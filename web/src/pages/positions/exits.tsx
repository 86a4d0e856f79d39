import type { ResponseOf } from '@contract';
import { useGrid } from '../../api/instruments.ts';
import { Badge } from '../../ui/badge.tsx';
import { decimal, percent, words } from '../../ui/format.ts';
import { Time } from '../../ui/time.tsx';

export type Position = ResponseOf<'positions'>['items'][number];

/** In pixels. */
const WIDE = 96;

/**
 * How far a price is from its stop and its target: the mark walks between the two. Orange to the left is loss, blue to the
 * right is gain, whatever the side.
 */
export function DistanceBar({ position }: { readonly position: Position }) {
  const { stop, target, price, entryPrice } = position;
  const grid = useGrid();
  if (price === null || (stop === null && target === null))
    return <span className="text-xs text-muted">no stop, no target</span>;
  const low = stop ?? entryPrice - (target! - entryPrice);
  const high = target ?? entryPrice + (entryPrice - stop!);
  const share = (value: number) => Math.max(0, Math.min(1, (value - low) / (high - low || 1)));
  const at = share(price);
  const from = share(entryPrice);
  const says = `Stop ${stop === null ? 'none' : grid.price(position.instrument, stop)}, price ${grid.price(position.instrument, price)}, target ${target === null ? 'none' : grid.price(position.instrument, target)}`;
  return (
    <svg role="img" aria-label={says} viewBox="0 0 96 14" preserveAspectRatio="none" className="h-3.5 w-24">
      <rect x="0" y="5.5" width={from * WIDE} height="3" className="fill-loss-soft" />
      <rect x={from * WIDE} y="5.5" width={(1 - from) * WIDE} height="3" className="fill-gain-soft" />
      {stop !== null && <rect x="0" y="2" width="2" height="10" className="fill-loss" />}
      {target !== null && <rect x={WIDE - 2} y="2" width="2" height="10" className="fill-gain" />}
      <rect x={from * WIDE - 0.5} y="4" width="1" height="6" className="fill-line-strong" />
      <circle
        cx={Math.max(4, Math.min(WIDE - 4, at * WIDE))}
        cy="7"
        r="4"
        className="fill-ink stroke-surface"
        strokeWidth="1.5"
      />
    </svg>
  );
}

type Exit = Position['exits'][number];

/** Where an exit fires: a price, an instant or the value of an indicator. */
function Level({ exit, instrument }: { readonly exit: Exit; readonly instrument: string }) {
  const grid = useGrid();
  if (exit.level === null) return null;
  if (exit.on === 'time') return <Time at={exit.level} />;
  if (exit.on === 'price') return <>{grid.price(instrument, exit.level)}</>;
  return (
    <>
      {exit.now !== null && `${decimal(exit.now)} → `}
      {decimal(exit.level)}
    </>
  );
}

/** The exit that would fire next, in words. */
export function NextExit({ position }: { readonly position: Position }) {
  if (position.leaving !== null)
    return <Badge tone="warn">leaving: {words(position.leaving.replace(/^exit:/, '')).toLowerCase()}</Badge>;
  const [nearest] = position.exits
    .filter((exit) => exit.armed && exit.distance !== null)
    .sort((a, b) => a.distance! - b.distance!);
  const next = nearest ?? position.exits[0];
  if (next === undefined) return <span className="text-muted">none</span>;
  return (
    <span title={next.text}>
      {words(next.kind)} <Level exit={next} instrument={position.instrument} />
      {next.distance !== null && (
        <span className="block text-2xs text-muted">{percent(next.distance, 1)} away</span>
      )}
    </span>
  );
}

/** Every exit ahead, nearest first, each with a bar of how much of the way to it is done. */
export function ExitsAhead({ position }: { readonly position: Position }) {
  if (position.exits.length === 0)
    return (
      <p className="text-xs text-muted">
        No exit is set: only a person or the circuit breaker would close it.
      </p>
    );
  return (
    <ol className="flex flex-col gap-2.5">
      {position.exits.map((exit) => (
        <li key={`${exit.kind}${exit.level}${exit.text}`} className="text-xs">
          <div className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium text-ink">{words(exit.kind)}</span>
            {!exit.armed && <span className="text-muted">sleeping</span>}
            <span className="ml-auto whitespace-nowrap text-soft">
              <Level exit={exit} instrument={position.instrument} />
              {exit.distance !== null && ` · ${percent(exit.distance)}`}
              {exit.distance !== null && exit.distance < 0 && ' (passed)'}
            </span>
          </div>
          <p className="text-muted">{exit.text}</p>
          {exit.progress !== null && (
            <svg
              aria-hidden="true"
              viewBox="0 0 100 4"
              preserveAspectRatio="none"
              className="mt-1 h-1 w-full"
            >
              <rect width="100" height="4" className="fill-hover" />
              <rect
                width={Math.max(0, Math.min(1, exit.progress)) * 100}
                height="4"
                className={exit.armed ? 'fill-soft' : 'fill-line-strong'}
              />
            </svg>
          )}
        </li>
      ))}
    </ol>
  );
}
