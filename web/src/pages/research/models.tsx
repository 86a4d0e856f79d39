import type { ResponseOf } from '@contract';
import { useAsk } from '../../api/queries.ts';
import { PlainView } from '../../forms/plain-view.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago } from '../../ui/time.tsx';

type Model = ResponseOf<'models'>['items'][number];

/** Learned parts: what stated probabilities are turned by, and models on record. */
export function Models() {
  const models = useAsk('models', {});
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
                Calibrations come with the first scored forecasts; models are recorded by{' '}
                <code>quorum train</code>.
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
