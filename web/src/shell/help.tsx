import { useStore } from '../api/store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { help, SHORTCUTS } from './shortcuts.ts';

export function HelpDialog() {
  const open = useStore(help);
  if (!open) return null;
  return (
    <Dialog title="Keyboard" wide onClose={() => help.set(false)}>
      <dl className="grid gap-x-8 gap-y-1.5 sm:grid-cols-2">
        {SHORTCUTS.map(({ keys, says }) => (
          <div key={says} className="flex items-center gap-3 border-b border-line py-1.5">
            <dt className="flex w-24 shrink-0 gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="rounded border border-line-strong bg-raised px-1.5 font-mono text-xs text-ink"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd className="text-sm text-soft">{says}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-xs text-muted">
        Everything here has a twin on the command line: <code className="font-mono">quorum --help</code>. The
        programs’ interface is described at{' '}
        <a className="underline" href="/docs">
          /docs
        </a>
        .
      </p>
    </Dialog>
  );
}
