import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { useGrid } from '../../api/instruments.ts';
import { useAsk } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Button } from '../../ui/button.tsx';
import { Amount } from '../../ui/figure.tsx';
import { decimal, percent } from '../../ui/format.ts';
import { Gauge } from '../../ui/gauge.tsx';
import { Metric, Metrics, PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import { BreakerSection } from './breaker.tsx';
import { Correlation } from './correlation.tsx';
import { EditLimits } from './edit-limits.tsx';
import { Exposure } from './exposure.tsx';
import { inUnit, titleOf, unitText } from './units.ts';

export type Risk = ResponseOf<'risk'>;

/** How much is at risk, what may not be passed, and the breaker. */
export default function RiskPage() {
  const query = useAsk('risk', {}, { every: 10_000, keepOld: true });
  return (
    <>
      <PageHead
        title="Risk"
        says={
          query.data === undefined ? undefined : (
            <>
              As of <Time at={query.data.at} /> UTC
            </>
          )
        }
      />
      <div className="flex flex-col gap-3">
        <BreakerSection />
        <Loaded of={query}>{(data) => <Figures data={data} />}</Loaded>
      </div>
    </>
  );
}

function Figures({ data }: { readonly data: Risk }) {
  const [editing, setEditing] = useState(false);
  const grid = useGrid();
  const may = useMay('administrator');
  const shown = data.limits.filter((limit) => limit.used !== null || limit.maximum !== null);
  const asked = data.limits.filter((limit) => !shown.includes(limit));
  const gross = data.exposure.reduce((sum, each) => sum + Math.abs(each.share), 0);
  return (
    <>
      <Metrics>
        <Metric name={`Equity, ${data.currency}`} value={<Amount value={data.equity} digits={2} />} />
        <Metric
          name="Gross exposure"
          value={percent(gross, 1)}
          note={`${data.exposure.length} instruments`}
        />
        <Metric name="Heat" value={percent(data.heat, 2)} note="lost if every stop is hit" />
        <Metric
          name={
            data.valueAtRisk === null
              ? 'Value at risk'
              : `Value at risk, ${percent(data.valueAtRisk.level, 0)}`
          }
          value={percent(data.valueAtRisk?.share, 2)}
          note={
            data.valueAtRisk === null
              ? 'too few bars yet'
              : `${decimal(data.valueAtRisk.value, 2)} ${data.currency}`
          }
        />
        <Metric name="Drawdown" value={percent(-Math.abs(data.drawdown), 2)} note="from the peak" />
        <Metric name="Lost today" value={percent(-Math.abs(data.dailyLoss), 2)} note="since 00:00 UTC" />
      </Metrics>
      {data.valueAtRisk !== null && <p className="-mt-1 px-1 text-xs text-muted">{data.valueAtRisk.text}</p>}
      <Panel
        title="Limits and their use"
        flush
        actions={
          <Button
            small
            icon="edit"
            disabled={!may}
            title={may ? 'Change limits of the portfolio' : 'Needs the role of an administrator'}
            onClick={() => setEditing(true)}
          >
            Change limits…
          </Button>
        }
      >
        {shown.length === 0 ? (
          <Empty title="No limit is set">Set one with Change limits: it can only refuse or reduce.</Empty>
        ) : (
          <ul className="grid grid-cols-2 sm:grid-cols-[repeat(auto-fill,minmax(10.5rem,1fr))]">
            {shown.map((limit) => (
              <li key={`${limit.layer}/${limit.desk}/${limit.name}/${limit.of}`} className="min-w-0">
                <Gauge
                  name={titleOf(limit.name)}
                  share={limit.share}
                  used={inUnit(limit.used, limit.unit)}
                  maximum={inUnit(limit.maximum, limit.unit)}
                  note={[
                    limit.of === null ? null : grid.text(limit.of),
                    unitText(limit.unit),
                    limit.desk ?? limit.layer,
                  ]
                    .filter(Boolean)
                    .join(', ')}
                />
              </li>
            ))}
          </ul>
        )}
        {asked.length > 0 && (
          <p className="border-t border-line px-3 py-2 text-xs text-muted">
            Asked for every plan, with nothing that is used up:{' '}
            {asked.map((limit) => titleOf(limit.name)).join(', ')}.
          </p>
        )}
      </Panel>
      <div className="grid grid-cols-1 gap-3 xl:grid-cols-2">
        <Exposure exposure={data.exposure} currency={data.currency} />
        <Correlation {...data.correlation} />
      </div>
      {editing && <EditLimits now={data.portfolioLimits} close={() => setEditing(false)} />}
    </>
  );
}
