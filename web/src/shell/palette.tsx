import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { logOut, useMay } from '../api/session.ts';
import { createStore, useStore } from '../api/store.ts';
import { chatting } from '../chat/chat-button.tsx';
import { PAGES } from '../pages/registry.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { help, palette, toggleTheme } from './shortcuts.ts';
import { flattenAll, killAll, startEntries, stopEntries } from './stop.tsx';

export interface Command {
  readonly name: string;
  readonly says: string;
  readonly icon: IconName;
  readonly run: () => unknown;
}

/** Commands of the page that is open. */
export const pageCommands = createStore<readonly Command[]>([]);

export function Palette({ go }: { readonly go: (path: string) => void }) {
  return useStore(palette) ? <Open go={go} /> : null;
}

function Open({ go }: { readonly go: (path: string) => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const trader = useMay('trader');
  const administrator = useMay('administrator');
  const own = useStore(pageCommands);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  const commands = useMemo<readonly Command[]>(
    () => [
      ...own,
      ...PAGES.filter((page) => page.administrator !== true || administrator).map((page) => ({
        name: page.title,
        says: page.says,
        icon: page.icon,
        run: () => go(page.path),
      })),
      ...(trader
        ? ([
            { name: 'Stop entries', says: 'no new positions; exits go on', icon: 'pause', run: stopEntries },
            { name: 'Allow entries', says: 'positions may be opened', icon: 'play', run: startEntries },
            {
              name: 'Flatten',
              says: 'cancel every order and close every position',
              icon: 'stop',
              run: flattenAll,
            },
            { name: 'Kill switch', says: 'stop, cancel, close, shut down', icon: 'stop', run: killAll },
          ] satisfies Command[])
        : []),
      { name: 'Dark or light', says: 'change the colours', icon: 'moon', run: toggleTheme },
      {
        name: 'Ask',
        says: 'questions about the running system',
        icon: 'chat',
        run: () => chatting.set(true),
      },
      { name: 'Keyboard help', says: 'all keys', icon: 'keyboard', run: () => help.set(true) },
      { name: 'Log out', says: 'end this session', icon: 'logout', run: logOut },
    ],
    [own, trader, administrator, go],
  );
  const shown = commands.filter((command) => matches(`${command.name} ${command.says}`, text));
  const chosen = Math.min(at, shown.length - 1);

  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    palette.set(false);
    command.run();
  };
  const walk = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Enter') run(shown[chosen]);
    else if (step !== 0 && shown.length > 0) {
      const next = (chosen + step + shown.length) % shown.length;
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
    } else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Commands" onClose={() => palette.set(false)}>
      <div className="flex items-center gap-2 rounded border border-line-strong bg-bg px-2.5">
        <Icon name="search" className="text-muted" />
        <input
          autoFocus
          role="combobox"
          aria-label="Search commands"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          value={text}
          placeholder="Where to, or what to do"
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={walk}
          className="min-h-10 w-full bg-transparent text-sm text-ink outline-none placeholder:text-muted"
        />
      </div>
      <div
        ref={list}
        id={id}
        role="listbox"
        aria-label="Commands"
        className="mt-2 flex max-h-80 flex-col overflow-y-auto"
      >
        {shown.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box above
          <div
            key={command.name}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            onClick={() => run(command)}
            onMouseMove={() => setAt(i)}
            className={`flex cursor-pointer items-center gap-3 rounded px-2.5 py-2 ${i === chosen ? 'bg-hover' : ''}`}
          >
            <Icon name={command.icon} className="text-soft" />
            <span className="flex min-w-0 flex-1 flex-col sm:flex-row sm:items-center sm:justify-between sm:gap-3">
              <span className="text-sm font-medium text-ink">{command.name}</span>
              <span className="text-xs text-muted sm:text-right">{command.says}</span>
            </span>
          </div>
        ))}
      </div>
      {shown.length === 0 && (
        <p className="px-2 py-4 text-center text-xs text-muted">No command is called so.</p>
      )}
    </Dialog>
  );
}

/** Every word typed begins some word of the text. */
function matches(text: string, typed: string): boolean {
  const own = text.toLowerCase().split(/[\s,]+/);
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((part) => own.some((word) => word.startsWith(part)));
}
