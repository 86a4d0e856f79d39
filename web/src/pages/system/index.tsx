import { useSearchParams } from 'wouter';
import { PageHead } from '../../ui/panel.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Logs } from './logs.tsx';
import { Schedule } from './schedule.tsx';
import { Standing } from './standing.tsx';

const TABS = [
  { key: 'standing', name: 'How it stands' },
  { key: 'schedule', name: 'Jobs and schedule' },
  { key: 'logs', name: 'Logs' },
] as const;

export default function SystemPage() {
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find(({ key }) => key === search.get('tab'))?.key ?? 'standing';
  return (
    <>
      <PageHead title="System" says="Feeds, speed, queues, memory and what the program says of itself." />
      <Tabs label="System" tabs={TABS} chosen={tab} onChoose={(key) => setSearch({ tab: key })}>
        <div className="flex flex-col gap-3 pt-3">
          {tab === 'standing' && <Standing />}
          {tab === 'schedule' && <Schedule />}
          {tab === 'logs' && <Logs />}
        </div>
      </Tabs>
    </>
  );
}
