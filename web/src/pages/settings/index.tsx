import { useSearchParams } from 'wouter';
import { useMay } from '../../api/session.ts';
import { PageHead } from '../../ui/panel.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { Appearance } from './appearance.tsx';
import { ConfigurationEditor } from './configuration-editor.tsx';
import { Password } from './password.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Sessions } from './sessions.tsx';
import { Tokens } from './tokens.tsx';

type Tab = 'account' | 'tokens' | 'sessions' | 'configuration';

export default function SettingsPage() {
  const administrator = useMay('administrator');
  const [search, setSearch] = useSearchParams();
  const tabs: readonly { readonly key: Tab; readonly name: string }[] = [
    { key: 'account', name: 'You' },
    { key: 'tokens', name: 'API tokens' },
    { key: 'sessions', name: 'Sessions' },
    ...(administrator ? [{ key: 'configuration' as const, name: 'Configuration' }] : []),
  ];
  const tab = tabs.find(({ key }) => key === search.get('tab'))?.key ?? 'account';
  return (
    <>
      <PageHead
        title="Settings"
        says="Your account, what programs may do in your name, and what is started here."
      />
      <Tabs label="Settings" tabs={tabs} chosen={tab} onChoose={(key) => setSearch({ tab: key })}>
        <div className="flex flex-col gap-3 pt-3">
          {tab === 'account' && (
            <div className="grid items-start gap-3 lg:grid-cols-2">
              <Password />
              <SecondFactor />
              <Appearance />
            </div>
          )}
          {tab === 'tokens' && <Tokens />}
          {tab === 'sessions' && <Sessions />}
          {tab === 'configuration' && <ConfigurationEditor />}
        </div>
      </Tabs>
    </>
  );
}
