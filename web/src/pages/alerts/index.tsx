import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { call } from '../../api/client.ts';
import { refresh, useAsk, usePages } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Badge, SeverityBadge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/field.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { PagedTable, Table } from '../../ui/table.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Time } from '../../ui/time.tsx';
import { tell, tellError } from '../../ui/toast.tsx';
import { RulesEditor } from './rules-editor.tsx';

type Alert = ResponseOf<'alerts'>['items'][number];
type Delivery = ResponseOf<'alertDeliveries'>['items'][number];
type Channel = ResponseOf<'alertRules'>['channels'][number];

const TABS = [
  { key: 'alerts', name: 'Alerts' },
  { key: 'deliveries', name: 'Deliveries' },
  { key: 'rules', name: 'Rules and channels' },
] as const;

const STATE_TONE: Readonly<Record<Alert['state'], Tone>> = {
  open: 'danger',
  acknowledged: 'warn',
  resolved: 'plain',
  suppressed: 'plain',
};

const DELIVERY_TONE: Readonly<Record<Delivery['state'], Tone>> = {
  pending: 'warn',
  delivered: 'gain',
  failed: 'danger',
  digested: 'plain',
  suppressed: 'plain',
};

export default function AlertsPage() {
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find(({ key }) => key === search.get('tab'))?.key ?? 'alerts';
  return (
    <>
      <PageHead title="Alerts" says="What was worth telling, whom it was told, and by which rules." />
      <Tabs label="Alerts" tabs={TABS} chosen={tab} onChoose={(key) => setSearch({ tab: key })}>
        <div className="flex flex-col gap-3 pt-3">
          {tab === 'alerts' && <Alerts onDeliveries={(alert) => setSearch({ tab: 'deliveries', alert })} />}
          {tab === 'deliveries' && (
            <Deliveries alert={search.get('alert')} onAll={() => setSearch({ tab: 'deliveries' })} />
          )}
          {tab === 'rules' && (
            <>
              <Channels />
              <RulesEditor />
            </>
          )}
        </div>
      </Tabs>
    </>
  );
}

function Alerts({ onDeliveries }: { readonly onDeliveries: (alert: string) => void }) {
  const trader = useMay('trader');
  const [state, setState] = useState('open');
  const [severity, setSeverity] = useState<'' | 'info' | 'warning' | 'critical'>('');
  const alerts = usePages(
    'alerts',
    { query: { limit: 50, ...(state === '' ? {} : { state }), ...(severity === '' ? {} : { severity }) } },
    { every: 10_000, keepOld: true },
  );
  const acknowledge = async (alert: Alert) => {
    try {
      await call('acknowledgeAlert', { params: { id: alert.id }, body: {} });
      tell('Acknowledged', 'It is not escalated any more.');
      refresh('alerts', 'notifications');
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Panel
      title="Alerts"
      flush
      actions={
        <>
          <Choice label="State" bare value={state} onChange={(event) => setState(event.target.value)}>
            <option value="">Every state</option>
            {Object.keys(STATE_TONE).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Choice>
          <Choice
            label="Severity"
            bare
            value={severity}
            onChange={(event) => setSeverity(event.target.value as typeof severity)}
          >
            <option value="">Every severity</option>
            <option>critical</option>
            <option>warning</option>
            <option>info</option>
          </Choice>
        </>
      }
    >
      <PagedTable<Alert>
        label="Alerts"
        of={alerts}
        keyOf={(alert) => alert.id}
        empty={
          <Empty title={state === 'open' ? 'Nothing is open' : 'No alert is like that'} icon="check">
            {state === 'open'
              ? 'All is acknowledged or resolved. Choose another state to see earlier ones.'
              : 'Choose another state or severity.'}
          </Empty>
        }
        columns={[
          { head: 'When (UTC)', cell: (alert) => <Time at={alert.at} /> },
          { head: 'Severity', cell: (alert) => <SeverityBadge severity={alert.severity} /> },
          { head: 'What', wrap: true, cell: (alert) => alert.text },
          { head: 'Kind', from: 'lg', cell: (alert) => alert.kind },
          { head: 'Portfolio', from: 'xl', cell: (alert) => alert.portfolio ?? 'all' },
          {
            head: 'State',
            from: 'sm',
            cell: (alert) => (
              <Badge tone={STATE_TONE[alert.state]} title={alert.by === null ? undefined : `by ${alert.by}`}>
                {alert.state}
              </Badge>
            ),
          },
          {
            head: <span className="sr-only">Act</span>,
            right: true,
            cell: (alert) => (
              <span className="inline-flex gap-1.5">
                {alert.state === 'open' && (
                  <Button small icon="check" disabled={!trader} onClick={() => void acknowledge(alert)}>
                    Acknowledge
                  </Button>
                )}
                <Button small look="quiet" onClick={() => onDeliveries(alert.id)}>
                  Deliveries
                </Button>
              </span>
            ),
          },
        ]}
      />
    </Panel>
  );
}

function Deliveries({ alert, onAll }: { readonly alert: string | null; readonly onAll: () => void }) {
  const deliveries = usePages(
    'alertDeliveries',
    { query: { limit: 50, ...(alert === null ? {} : { alert }) } },
    { every: 10_000 },
  );
  return (
    <Panel
      title="Deliveries"
      note={alert === null ? 'what was sent where' : `of alert ${alert.slice(0, 12)}`}
      flush
      actions={
        alert !== null && (
          <Button small onClick={onAll}>
            All deliveries
          </Button>
        )
      }
    >
      <PagedTable<Delivery>
        label="Deliveries"
        of={deliveries}
        keyOf={(delivery) => delivery.id}
        empty={
          <Empty title="Nothing was sent" icon="alerts">
            Alerts stay in this console unless a rule names a channel that is ready: see Rules and channels.
          </Empty>
        }
        columns={[
          { head: 'When (UTC)', cell: (delivery) => <Time at={delivery.at} /> },
          { head: 'Channel', cell: (delivery) => delivery.channel },
          {
            head: 'State',
            cell: (delivery) => <Badge tone={DELIVERY_TONE[delivery.state]}>{delivery.state}</Badge>,
          },
          { head: 'Attempts', right: true, from: 'sm', cell: (delivery) => delivery.attempts },
          { head: 'Next try (UTC)', from: 'md', cell: (delivery) => <Time at={delivery.nextAt} /> },
          { head: 'Error', wrap: true, from: 'sm', cell: (delivery) => delivery.error ?? '–' },
        ]}
      />
    </Panel>
  );
}

function Channels() {
  const rules = useAsk('alertRules', {});
  const administrator = useMay('administrator');
  const [busy, setBusy] = useState<string | null>(null);
  const test = async (channel?: string) => {
    setBusy(channel ?? '*');
    try {
      const { id } = await call('testAlert', { body: channel === undefined ? {} : { channel } });
      tell('Test alert sent', `Alert ${id.slice(0, 12)}: see Deliveries for what came of it.`);
      refresh('alerts', 'alertDeliveries');
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(null);
    }
  };
  return (
    <Panel
      title="Channels"
      flush
      actions={
        <Button small icon="alerts" disabled={!administrator} busy={busy === '*'} onClick={() => void test()}>
          Test all
        </Button>
      }
    >
      <Loaded of={rules} what="Reading channels">
        {({ channels }) => (
          <Table<Channel>
            label="Channels"
            rows={channels}
            keyOf={(channel) => channel.name}
            empty={
              <Empty title="No channel but this console">
                Name one under <code>alerts</code> in the configuration (Settings, Configuration): Telegram,
                PagerDuty, a webhook or email.
              </Empty>
            }
            columns={[
              { head: 'Channel', cell: (channel) => channel.name },
              { head: 'Kind', cell: (channel) => channel.kind },
              {
                head: 'State',
                cell: (channel) => (
                  <Badge tone={channel.ready ? 'gain' : 'warn'} icon={channel.ready ? 'check' : 'warning'}>
                    {channel.ready ? 'ready' : 'not ready'}
                  </Badge>
                ),
              },
              { head: 'Why', wrap: true, from: 'sm', cell: (channel) => channel.why ?? '–' },
              {
                head: <span className="sr-only">Act</span>,
                right: true,
                cell: (channel) => (
                  <Button
                    small
                    disabled={!administrator || !channel.ready}
                    busy={busy === channel.name}
                    onClick={() => void test(channel.name)}
                  >
                    Test
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
