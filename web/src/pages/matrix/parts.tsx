import { Badge, type Tone } from '../../ui/badge.tsx';
import { percent, span, words } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { bandOf, type Cell, type DeskModel, MODEL_AGE_LIMIT_MS, parityOf, standingOf } from './standing.ts';

export function StandingBadge({ cell, at }: { readonly cell: Cell; readonly at: number }) {
  const { name, tone, icon, says } = standingOf(cell, at);
  return (
    <Badge tone={tone} icon={icon} title={says}>
      {name}
    </Badge>
  );
}

const FILL = { fine: 'fill-soft', near: 'fill-warn', over: 'fill-danger' } as const;

/** The largest fall and how much of its band that is. Near and over are said in words as well. */
export function Band({ cell }: { readonly cell: Cell }) {
  const band = bandOf(cell);
  const { drawdownMax, drawdownLimit } = cell;
  const title = `Largest fall ${percent(drawdownMax, 2)}, now ${percent(cell.drawdown, 2)}${drawdownLimit === null ? '' : `; the band is ${percent(drawdownLimit, 0)}`}`;
  return (
    <span title={title} className="inline-flex flex-col gap-0.5">
      <span className="whitespace-nowrap">
        {percent(drawdownMax, 1)}
        {drawdownLimit !== null && <span className="text-muted"> / {percent(drawdownLimit, 0)}</span>}
      </span>
      {band !== null && (
        <svg aria-hidden="true" viewBox="0 0 64 4" className="h-1 w-16">
          <rect width="64" height="4" className="fill-hover" />
          <rect width={Math.min(1, band.share) * 64} height="4" className={FILL[band.state]} />
        </svg>
      )}
      {band !== null && band.state !== 'fine' && (
        <span className={`text-2xs ${band.state === 'over' ? 'text-danger' : 'text-warn'}`}>
          {band.state === 'over' ? 'beyond the band' : 'near the band'}
        </span>
      )}
    </span>
  );
}

const STAGES: Readonly<Record<string, Tone>> = { live: 'gain', paper: 'gain', retired: 'warn' };

/** Beginning of the id, stage and age. */
export function ModelLine({ model }: { readonly model: DeskModel | null }) {
  if (model === null) return <span className="text-muted">rests on none</span>;
  if (model.id === null) return <span className="text-warn">none</span>;
  const old = model.ageMs !== null && model.ageMs > MODEL_AGE_LIMIT_MS;
  return (
    <span className="inline-flex flex-wrap items-center gap-x-1.5">
      <code className="font-mono text-xs" title={model.name ?? undefined}>
        {model.id.slice(0, 8)}
      </code>
      <Badge tone={STAGES[model.stage ?? ''] ?? 'plain'}>{model.stage ?? 'not on record'}</Badge>
      <span className={old ? 'text-danger' : 'text-muted'}>
        {span(model.ageMs)}
        {old && ', too old'}
      </span>
      {model.drifted && (
        <Badge
          tone="danger"
          icon="warning"
          title={`${percent(model.clippedShare, 1)} of the newest 200 rows`}
        >
          drift
        </Badge>
      )}
    </span>
  );
}

export function ParityText({ model }: { readonly model: DeskModel | null }) {
  const { text, state } = parityOf(model?.parity ?? null);
  const bars = model?.parity?.bars ?? 0;
  const title =
    state === 'unknown'
      ? "No bar was compared with a chart's script yet"
      : `Mean of ${bars} bars, the limit is 1 bp`;
  return (
    <span
      title={title}
      className={state === 'over' ? 'text-danger' : state === 'unknown' ? 'text-muted' : ''}
    >
      {text}
      {state === 'over' && ', too far'}
    </span>
  );
}

type Verdict = NonNullable<Cell['decision']>['verdicts'][number];

const VERDICTS: Readonly<
  Record<Verdict['verdict'], { readonly icon: IconName; readonly says: string; readonly ink: string }>
> = {
  passes: { icon: 'check', says: 'passes', ink: 'text-gain' },
  objects: { icon: 'close', says: 'objects', ink: 'text-loss' },
  silent: { icon: 'minus', says: 'silent', ink: 'text-muted' },
  'not-asked': { icon: 'minus', says: 'not asked', ink: 'text-muted' },
};

export function VerdictMark({ verdict }: { readonly verdict: Verdict }) {
  const { icon, says, ink } = VERDICTS[verdict.verdict];
  return (
    <span
      title={`${verdict.by} ${says}${verdict.reason === null ? '' : `: ${verdict.reason}`}`}
      className="inline-flex items-center gap-0.5 whitespace-nowrap text-xs text-soft"
    >
      <Icon name={icon} size={12} className={ink} label={says} />
      {words(verdict.by).toLowerCase()}
    </span>
  );
}

/** What sources, gates and rules said at the last bar. */
export function Verdicts({ decision }: { readonly decision: Cell['decision'] }) {
  if (decision === null) return <span className="text-xs text-muted">no decision yet</span>;
  return (
    <span className="flex flex-wrap gap-x-2 gap-y-0.5">
      {decision.verdicts.map((verdict) => (
        <VerdictMark key={verdict.by} verdict={verdict} />
      ))}
    </span>
  );
}
