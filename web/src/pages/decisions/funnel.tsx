import type { ResponseOf } from '@contract';
import { words } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { type Fate, fatesOf } from './fates.ts';

export type Decision = ResponseOf<'decision'>;
type Stage = Decision['stages'][number];

const LOOK: Record<Fate, { readonly icon: IconName; readonly says: string; readonly text: string }> = {
  passed: { icon: 'check', says: 'passed', text: 'text-gain' },
  skipped: { icon: 'minus', says: 'not asked', text: 'text-muted' },
  cut: { icon: 'close', says: 'cut here', text: 'text-loss' },
  never: { icon: 'minus', says: 'never reached', text: 'text-muted' },
};

/** Half the height of the band where a stage begins; it narrows from stage to stage. */
const half = (i: number, n: number) => 37 - (27 * i) / n;

/**
 * The way of an idea as a picture: a band that narrows through the stages and ends where something cut it. Lying on a wide
 * screen, standing on a phone.
 */
export function Funnel({ stages }: { readonly stages: readonly Stage[] }) {
  const fates = fatesOf(stages);
  const n = stages.length;
  return (
    <ol className="grid grid-cols-1 lg:grid-cols-7" aria-label="The way of the idea, stage by stage">
      {stages.map((stage, i) => {
        const fate = fates[i]!;
        return (
          <li key={stage.stage} className="flex min-w-0 gap-3 lg:block">
            <Upright fate={fate} from={half(i, n)} to={half(i + 1, n)} />
            <Lying fate={fate} from={half(i, n)} to={half(i + 1, n)} />
            <div className="min-w-0 py-2 lg:px-2 lg:py-1">
              <p
                className={`flex items-center gap-1.5 text-sm font-semibold ${fate === 'never' ? 'text-muted' : 'text-ink'}`}
              >
                {words(stage.stage)}
              </p>
              <p className={`flex items-center gap-1 text-xs font-medium ${LOOK[fate].text}`}>
                <Icon name={LOOK[fate].icon} size={12} />
                {LOOK[fate].says}
              </p>
              <p className={`mt-0.5 text-xs ${fate === 'never' ? 'text-muted' : 'text-soft'}`}>
                {stage.text}
              </p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}

interface Part {
  readonly fate: Fate;
  readonly from: number;
  readonly to: number;
}

const BAND: Record<Fate, string> = {
  passed: 'fill-gain-soft stroke-gain',
  skipped: 'fill-gain-soft stroke-gain opacity-50',
  cut: 'fill-loss-soft stroke-loss',
  never: 'fill-none stroke-line-strong',
};

/** One stage of the band from left to right; a cut one ends in a torn edge. */
function Lying({ fate, from, to }: Part) {
  const a = 40;
  const path =
    fate === 'cut'
      ? `M0 ${a - from}L52 ${a - from + 3}L44 ${a - 20}L56 ${a - 8}L44 ${a + 6}L56 ${a + 18}L48 ${a + from - 3}L0 ${a + from}Z`
      : `M0 ${a - from}L100 ${a - to}L100 ${a + to}L0 ${a + from}Z`;
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 100 80"
      preserveAspectRatio="none"
      className="hidden h-20 w-full lg:block"
    >
      <path
        d={path}
        vectorEffect="non-scaling-stroke"
        strokeWidth="1"
        strokeDasharray={fate === 'never' ? '3 4' : undefined}
        className={BAND[fate]}
      />
      {fate === 'cut' && (
        <line
          x1="66"
          x2="66"
          y1="2"
          y2="78"
          vectorEffect="non-scaling-stroke"
          strokeWidth="3"
          className="stroke-loss"
        />
      )}
    </svg>
  );
}

/** The same from top to bottom. */
function Upright({ fate, from, to }: Part) {
  const a = 40;
  const path =
    fate === 'cut'
      ? `M${a - from} 0L${a - from + 3} 50L${a - 14} 42L${a - 4} 56L${a + 6} 42L${a + 14} 56L${a + from - 3} 46L${a + from} 0Z`
      : `M${a - from} 0L${a - to} 100L${a + to} 100L${a + from} 0Z`;
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 80 100"
      preserveAspectRatio="none"
      className="min-h-16 w-14 shrink-0 self-stretch lg:hidden"
    >
      <path
        d={path}
        vectorEffect="non-scaling-stroke"
        strokeWidth="1"
        strokeDasharray={fate === 'never' ? '3 4' : undefined}
        className={BAND[fate]}
      />
      {fate === 'cut' && (
        <line
          y1="66"
          y2="66"
          x1="2"
          x2="78"
          vectorEffect="non-scaling-stroke"
          strokeWidth="3"
          className="stroke-loss"
        />
      )}
    </svg>
  );
}
