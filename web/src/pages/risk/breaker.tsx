import type { ResponseOf } from '@contract';
import { useAsk } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { perform } from '../../ui/act.tsx';
import { Badge, BreakerBadge, breakerLook } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { words } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Panel } from '../../ui/panel.tsx';
import { ScrollBox } from '../../ui/scroll-box.tsx';
import { Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { inUnit, unitText } from './units.ts';

type Breaker = NonNullable<ResponseOf<'breaker'>>;

const MAKES_OLD = ['breaker', 'breakerStatus', 'overview', 'risk', 'tradingStatus', 'portfolios'] as const;

function recover(state: string) {
  const down = state === 'SHUTDOWN';
  return perform({
    route: 'breakerRecover',
    body: {},
    title: 'Recover the breaker',
    says: down
      ? 'The breaker leaves SHUTDOWN. Be sure that what caused it is mended. Entries that the kill switch stopped stay stopped until they are allowed again.'
      : `The breaker leaves ${state} before its time.`,
    verb: 'Recover',
    danger: true,
    ...(down ? { word: { field: 'confirm', value: 'RESTART' } } : {}),
    done: 'The breaker is recovered',
    makesOld: MAKES_OLD,
  });
}

function override(enabled: boolean) {
  return perform({
    route: 'breakerOverride',
    body: { enabled },
    title: enabled ? 'Hold the breaker by hand' : 'Give the breaker back',
    says: enabled
      ? 'While it is held, the breaker does not move by itself: nothing protects this portfolio from a run of losses but you.'
      : 'The breaker moves by itself again, from what it measures now.',
    verb: enabled ? 'Hold' : 'Give back',
    danger: true,
    done: enabled ? 'The breaker is held by hand' : 'The breaker moves by itself again',
    makesOld: MAKES_OLD,
  });
}

/** The breaker: its state, what could move it, and what did. */
export function BreakerSection() {
  const query = useAsk('breaker', {}, { every: 10_000, keepOld: true });
  return (
    <Loaded of={query} what="Reading the breaker">
      {(data) =>
        data === null ? (
          <Panel title="Circuit breaker">
            <p className="text-sm text-muted">This portfolio runs without a circuit breaker.</p>
          </Panel>
        ) : (
          <div className="grid grid-cols-1 gap-3 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <State data={data} />
            <Timeline data={data} />
          </div>
        )
      }
    </Loaded>
  );
}

function State({ data }: { readonly data: Breaker }) {
  const trader = useMay('trader');
  const administrator = useMay('administrator');
  return (
    <Panel
      title="Circuit breaker"
      flush
      actions={
        <>
          <Button
            small
            disabled={!administrator}
            title={administrator ? undefined : 'Needs the role of an administrator'}
            onClick={() => void override(!data.override)}
          >
            {data.override ? 'Give back…' : 'Override…'}
          </Button>
          <Button
            small
            look={data.state === 'CLOSED' ? 'plain' : 'primary'}
            disabled={!trader || data.state === 'CLOSED'}
            title={data.state === 'CLOSED' ? 'It is closed: nothing to recover' : undefined}
            onClick={() => void recover(data.state)}
          >
            Recover…
          </Button>
        </>
      }
    >
      <div aria-live="assertive" aria-atomic="true" className="flex flex-wrap items-center gap-2 px-3 py-2.5">
        <BreakerBadge state={data.state} />
        {data.override && (
          <Badge tone="warn" icon="lock">
            held by hand
          </Badge>
        )}
        <span className="text-sm text-soft">
          {breakerLook(data.state).says}
          {data.causes.length > 0 && `: ${data.causes.join(', ')}`}
        </span>
        {data.since > 0 && (
          <span className="text-xs text-muted">
            since <Time at={data.since} /> UTC
          </span>
        )}
      </div>
      {data.thresholds.length > 0 && (
        <div className="border-t border-line">
          <Table
            label="What could move the breaker"
            rows={byTrigger(data.thresholds)}
            keyOf={(t) => t.trigger}
            empty={null}
            tall="max-h-70"
            columns={[
              { head: 'Trigger', wrap: true, cell: (t) => <TriggerName {...t} /> },
              {
                head: 'Now',
                right: true,
                cell: (t) => (t.measure === null ? '–' : inUnit(t.measure, t.unit)),
              },
              { head: 'Use', from: 'md', cell: (t) => <Use trigger={t} /> },
              { head: 'Goes to', wrap: true, cell: (t) => <Steps {...t} /> },
            ]}
          />
        </div>
      )}
    </Panel>
  );
}

interface Trigger {
  readonly trigger: string;
  readonly measure: number | null;
  readonly unit: string;
  readonly steps: readonly Pick<Breaker['thresholds'][number], 'state' | 'limit'>[];
}

/** One line a trigger, with every state it can bring. */
function byTrigger(thresholds: Breaker['thresholds']): readonly Trigger[] {
  const triggers = new Map<string, Trigger>();
  for (const { trigger, measure, unit, state, limit } of thresholds) {
    const before = triggers.get(trigger) ?? { trigger, measure, unit, steps: [] };
    triggers.set(trigger, { ...before, steps: [...before.steps, { state, limit }] });
  }
  return [...triggers.values()];
}

function TriggerName({ trigger, unit }: Trigger) {
  return (
    <>
      {words(trigger)}
      {unitText(unit) !== '' && <span className="block text-2xs text-muted">{unitText(unit)}</span>}
    </>
  );
}

function Steps({ steps, unit }: Trigger) {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1">
      {steps.map(({ state, limit }) => (
        <li key={`${state}${limit}`} className="flex items-center gap-1.5">
          <BreakerBadge state={state} />
          {limit !== null && <span className="text-xs text-soft">{inUnit(limit, unit)}</span>}
        </li>
      ))}
    </ul>
  );
}

/** How far the measure is on its way to the first step that it has not reached. */
function Use({ trigger: { measure, steps } }: { readonly trigger: Trigger }) {
  const limits = steps
    .flatMap(({ limit }) => (limit === null || limit === 0 ? [] : [limit]))
    .sort((a, b) => a - b);
  const next = limits.find((limit) => measure !== null && limit > measure) ?? limits.at(-1);
  if (measure === null || next === undefined) return null;
  const share = Math.max(0, Math.min(1, measure / next));
  const passed = measure >= limits[0]!;
  return (
    <svg aria-hidden="true" viewBox="0 0 64 6" className="h-1.5 w-16">
      <rect width="64" height="6" className="fill-hover" />
      <rect
        width={share * 64}
        height="6"
        className={passed ? 'fill-danger' : share >= 0.8 ? 'fill-warn' : 'fill-soft'}
      />
    </svg>
  );
}

function Timeline({ data }: { readonly data: Breaker }) {
  return (
    <Panel title="What moved it" note="newest first" flush>
      {data.history.length === 0 ? (
        <p className="px-3 py-6 text-center text-xs text-muted">It has never moved.</p>
      ) : (
        <ScrollBox label="Moves of the breaker" className="max-h-80">
          <ol className="px-3 py-2">
            {data.history.map((move, i) => (
              <li key={`${move.at}${move.from}${move.to}${i}`} className="flex gap-3">
                <span className="flex flex-col items-center pt-1.5" aria-hidden="true">
                  <span className="size-2 rounded-full border border-line-strong bg-raised" />
                  {i < data.history.length - 1 && <span className="w-px flex-1 bg-line-strong" />}
                </span>
                <div className="min-w-0 pb-3">
                  <p className="flex flex-wrap items-center gap-1.5">
                    <BreakerBadge state={move.from} />
                    <Icon name="right" size={12} className="text-muted" label="to" />
                    <BreakerBadge state={move.to} />
                  </p>
                  <p className="mt-0.5 text-sm text-soft">
                    {move.cause === '' ? 'no cause was given' : move.cause}
                  </p>
                  <p className="text-xs text-muted">
                    <Time at={move.at} /> UTC
                  </p>
                </div>
              </li>
            ))}
          </ol>
        </ScrollBox>
      )}
    </Panel>
  );
}
