import type { ResponseOf } from '@contract';
import { useAsk } from '../../api/queries.ts';
import { PlainView } from '../../forms/plain-view.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago, Time } from '../../ui/time.tsx';

type Asked = ReturnType<typeof useAsk<'models'>>;
type Answer = ResponseOf<'models'>;
type Model = Answer['items'][number];
type Registered = Answer['registered'][number];

/** Learned parts: models on record with their stages, and what stated probabilities are turned by. */
export function Models() {
  const models = useAsk('models', {});
  return (
    <>
      <Loaded of={models} what="Reading models on record">
        {({ registered, registryError }) => <OnRecord models={registered} error={registryError} />}
      </Loaded>
      <Learned models={models} />
    </>
  );
}

const STAGES: Readonly<Record<Registered['stage'], Tone>> = {
  candidate: 'plain',
  paper: 'gain',
  live: 'gain',
  retired: 'warn',
};

function OnRecord({
  models,
  error,
}: {
  readonly models: readonly Registered[];
  readonly error: string | null;
}) {
  return (
    <Panel title="Models on record" note="newest first" flush>
      {error !== null && (
        <p role="status" className="bg-warn-soft px-3 py-2 text-sm text-ink">
          The registry cannot be read: {error}
        </p>
      )}
      <Table<Registered>
        label="Models on record"
        rows={models}
        keyOf={(model) => model.id}
        tall="max-h-120"
        empty={
          <Empty title="No model is on record" icon="research">
            <code>quorum train s1</code> trains and registers them; <code>quorum models import FILE</code>{' '}
            brings one in. Promote and roll back with <code>quorum models promote</code> and{' '}
            <code>rollback</code>.
          </Empty>
        }
        columns={[
          {
            head: 'Name',
            cell: (model) => (
              <>
                {model.name}
                <code className="block font-mono text-2xs text-muted" title={model.id}>
                  {model.id.slice(0, 12)}
                </code>
              </>
            ),
          },
          {
            head: 'Stage',
            cell: (model) => (
              <Badge tone={STAGES[model.stage]} title={model.holds.join(', ') || undefined}>
                {model.stage}
              </Badge>
            ),
          },
          { head: 'Trained up to', from: 'sm', cell: (model) => <Time at={model.trainedTo} show="date" /> },
          {
            head: 'For',
            from: 'md',
            cell: (model) => (
              <>
                {model.instrument} {model.interval}
              </>
            ),
          },
          { head: 'From', from: 'lg', cell: (model) => model.from },
          {
            head: 'Detail',
            wrap: true,
            cell: (model) => (
              <details>
                <summary>{model.stamps.join(', ') || 'open'}</summary>
                <PlainView
                  value={{ metrics: model.metrics, parent: model.parent, pruned: model.pruned, id: model.id }}
                />
              </details>
            ),
          },
        ]}
      />
    </Panel>
  );
}

function Learned({ models }: { readonly models: Asked }) {
  return (
    <Panel title="Learned parts" flush>
      <Loaded of={models} what="Reading models">
        {({ items }) => (
          <Table<Model>
            label="Learned parts"
            rows={items}
            keyOf={(model) => model.id}
            empty={
              <Empty title="Nothing is learned yet" icon="sources">
                Calibrations come with the first scored forecasts.
              </Empty>
            }
            columns={[
              { head: 'Name', cell: (model) => model.id },
              { head: 'Kind', cell: (model) => model.kind },
              { head: 'Desk', from: 'sm', cell: (model) => model.desk },
              { head: 'Fitted', cell: (model) => <Ago at={model.fittedAt} /> },
              { head: 'Seen', right: true, from: 'sm', cell: (model) => model.n ?? '–' },
              {
                head: 'Detail',
                wrap: true,
                cell: (model) => (
                  <details>
                    <summary>open</summary>
                    <PlainView value={model.detail} />
                  </details>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
