import { useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useMay } from '../../api/session.ts';
import { pageCommands } from '../../shell/palette.tsx';
import { Button } from '../../ui/button.tsx';
import { PageHead } from '../../ui/panel.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { JobList } from './job-list.tsx';
import { JobPanel } from './job-panel.tsx';
import { Models } from './models.tsx';
import { Runs } from './runs.tsx';
import { StartStudy } from './start-study.tsx';

const TABS = [
  { key: 'jobs', name: 'Work' },
  { key: 'runs', name: 'Runs on record' },
  { key: 'models', name: 'Learned parts' },
] as const;

type Tab = (typeof TABS)[number]['key'];

export default function ResearchPage() {
  const [search, setSearch] = useSearchParams();
  const [starting, setStarting] = useState(false);
  const trader = useMay('trader');
  const tab = TABS.find(({ key }) => key === search.get('tab'))?.key ?? 'jobs';
  const job = search.get('job');
  const runs = (search.get('runs') ?? '').split(',').filter((id) => id !== '');
  const go = (tab: Tab, rest: Record<string, string> = {}) => setSearch({ tab, ...rest });

  useEffect(() => {
    if (!trader) return;
    const start = () => setStarting(true);
    pageCommands.set([
      { name: 'Start a study', says: 'backtest, sweep or walk-forward', icon: 'research', run: start },
    ]);
    return () => pageCommands.set([]);
  }, [trader]);

  return (
    <>
      <PageHead
        title="Research"
        says="Backtests, sweeps and walk-forwards; what is on record, and how much of it is luck."
        actions={
          <Button
            look="primary"
            icon="play"
            disabled={!trader}
            title={trader ? undefined : 'Needs the role of a trader'}
            onClick={() => setStarting(true)}
          >
            Start a study
          </Button>
        }
      />
      <Tabs label="Research" tabs={TABS} chosen={tab} onChoose={(key) => go(key)}>
        <div className="flex flex-col gap-3 pt-3">
          {tab === 'jobs' && (
            <>
              <JobList chosen={job} onChoose={(id) => go('jobs', { job: id })} />
              {job !== null && <JobPanel key={job} id={job} onStarted={(id) => go('jobs', { job: id })} />}
            </>
          )}
          {tab === 'runs' && (
            <Runs
              chosen={runs}
              onChoose={(ids) => go('runs', ids.length === 0 ? {} : { runs: ids.join(',') })}
            />
          )}
          {tab === 'models' && <Models />}
        </div>
      </Tabs>
      {starting && (
        <StartStudy
          onClose={() => setStarting(false)}
          onStarted={(id) => {
            setStarting(false);
            go('jobs', { job: id });
          }}
        />
      )}
    </>
  );
}
