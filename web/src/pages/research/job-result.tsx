import { useAsk } from '../../api/queries.ts';
import { isPlain, type Plain } from '../../forms/json-schema.ts';
import { PlainView } from '../../forms/plain-view.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Metric, Metrics } from '../../ui/panel.tsx';
import { Loaded } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import { figureName, figureText } from './figures.ts';
import { Folds, foldsOf } from './folds.tsx';
import { HeatMap } from './heat-map.tsx';
import type { Job } from './jobs.ts';
import { WorthParts } from './worth-parts.tsx';

/** What a finished job found, in the form that fits its kind. */
export function JobResult({ job }: { readonly job: Job }) {
  const { result } = job;
  if (result === null) return null;
  if (job.kind === 'sweep') return <SweepResult job={job} />;
  if (job.kind === 'walk-forward' && foldsOf(result).length > 0) return <Folds result={result} />;
  if (job.kind === 'worth' && Array.isArray(result.parts)) return <WorthParts result={result} />;
  if (job.kind === 'replay') return <ReplayResult result={result} />;
  if (job.kind === 'verify') return <VerifyResult job={job} result={result} />;
  if (job.kind === 'backtest') return <BacktestResult result={result} />;
  return <PlainView value={result} />;
}

function SweepResult({ job }: { readonly job: Job }) {
  const sweep = useAsk('sweep', { params: { id: job.id } });
  return <Loaded of={sweep}>{(data) => <HeatMap sweep={data} />}</Loaded>;
}

function BacktestResult({ result }: { readonly result: Plain }) {
  const start = Number(result.cashStart);
  const gained = start > 0 ? Number(result.equityEnd) / start - 1 : null;
  const figures: [string, number | null][] = [
    ['return', gained],
    ...['sharpe', 'maxDrawdown', 'trades', 'fills', 'bars'].map((name): [string, number | null] => [
      name,
      typeof result[name] === 'number' ? result[name] : null,
    ]),
  ];
  const about = Object.fromEntries(
    [
      'desk',
      'parameters',
      'instruments',
      'interval',
      'signalsBySource',
      'objectionsByGate',
      'refusalsByLimit',
      'exitsByKind',
    ]
      .filter((name) => result[name] !== undefined)
      .map((name) => [name, result[name]]),
  );
  return (
    <div className="flex flex-col gap-3">
      <Metrics>
        {figures.map(([name, value]) => (
          <Metric key={name} name={figureName(name)} value={figureText(name, value)} />
        ))}
      </Metrics>
      <PlainView value={about} />
      <details>
        <summary className="text-xs text-muted">Everything the command said</summary>
        <div className="mt-2">
          <PlainView value={result} />
        </div>
      </details>
    </div>
  );
}

/** Whether deciding again came to the same commands; else the first that differs. */
function ReplayResult({ result }: { readonly result: Plain }) {
  const { difference } = result;
  if (!isPlain(difference))
    return (
      <div className="flex flex-col gap-3">
        <p className="flex items-center gap-2 text-sm font-medium text-gain">
          <Icon name="check" />
          {result.mode === 'facts' || result.by === 'facts'
            ? 'Another version decided this run: its facts were folded and its books balance.'
            : 'Deciding again came to the same commands.'}
        </p>
        <PlainView value={result} />
      </div>
    );
  return (
    <div className="flex flex-col gap-3">
      <p role="alert" className="flex items-center gap-2 text-sm font-medium text-danger">
        <Icon name="warning" />
        First difference at entry {String(difference.position)},{' '}
        <Time at={typeof difference.at === 'number' ? difference.at : null} /> UTC
      </p>
      <div className="grid gap-3 md:grid-cols-2">
        {(['recorded', 'decided'] as const).map((side) => (
          <div key={side} className="min-w-0">
            <h3 className="text-xs font-medium text-muted">
              {side === 'recorded' ? 'Recorded' : 'Decided now'}
            </h3>
            <pre className="thin-scroll mt-1 overflow-x-auto rounded border border-line bg-bg p-2 font-mono text-xs">
              {typeof difference[side] === 'string' ? difference[side] : '(nothing)'}
            </pre>
          </div>
        ))}
      </div>
    </div>
  );
}

function VerifyResult({ job, result }: { readonly job: Job; readonly result: Plain }) {
  const damaged =
    job.error !== null || result.damage != null || result.whole === false || result.ok === false;
  return (
    <div className="flex flex-col gap-3">
      <p className={`flex items-center gap-2 text-sm font-medium ${damaged ? 'text-danger' : 'text-gain'}`}>
        <Icon name={damaged ? 'warning' : 'check'} />
        {damaged
          ? 'The chain is broken: restore a backup, and keep this folder.'
          : 'The hash chain is whole.'}
      </p>
      <PlainView value={result} />
    </div>
  );
}
