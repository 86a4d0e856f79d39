import { useStore } from '../../api/store.ts';
import { type Theme, theme } from '../../shell/theme.ts';
import { zoneName } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { Panel } from '../../ui/panel.tsx';

const CHOICES: readonly { readonly theme: Theme; readonly name: string; readonly icon: IconName }[] = [
  { theme: 'system', name: 'As the system', icon: 'screen' },
  { theme: 'dark', name: 'Dark', icon: 'moon' },
  { theme: 'light', name: 'Light', icon: 'sun' },
];

export function Appearance() {
  const chosen = useStore(theme);
  return (
    <Panel title="Appearance">
      <fieldset className="flex flex-wrap gap-2">
        <legend className="sr-only">Colours</legend>
        {CHOICES.map((choice) => (
          <label
            key={choice.theme}
            className={`inline-flex min-h-9 cursor-pointer items-center gap-2 rounded border px-3 text-sm has-focus-visible:outline-2 has-focus-visible:outline-(--focus) ${choice.theme === chosen ? 'border-ink bg-hover font-semibold' : 'border-line-strong hover:bg-hover'}`}
          >
            <input
              type="radio"
              name="theme"
              className="sr-only"
              checked={choice.theme === chosen}
              onChange={() => theme.set(choice.theme)}
            />
            <Icon name={choice.icon} />
            {choice.name}
          </label>
        ))}
      </fieldset>
      <p className="mt-3 text-xs text-muted">
        Times are shown in UTC; point at one to see it in your zone, {zoneName()}. Gains are blue and losses
        orange, always with a sign.
      </p>
    </Panel>
  );
}
