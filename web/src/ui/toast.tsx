import { asRefused } from '../api/errors.ts';
import { createStore, useStore } from '../api/store.ts';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly title: string;
  readonly text: string;
}

const toasts = createStore<readonly Toast[]>([]);
const MOST = 4;
const DONE_MS = 6_000;
let count = 0;

function push(kind: Toast['kind'], title: string, text: string): void {
  count += 1;
  const id = count;
  const kept = toasts.get().filter((old) => old.title !== title || old.text !== text);
  toasts.set([...kept.slice(1 - MOST), { id, kind, title, text }]);
  if (kind === 'done') setTimeout(() => dismiss(id), DONE_MS);
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

/** Says that something was done. */
export function tell(title: string, text = ''): void {
  push('done', title, text);
}

/** Says what went wrong and what to do; stays until it is closed. */
export function tellError(error: unknown): void {
  const refused = asRefused(error);
  if (refused.status === 401) return;
  push('failed', refused.message, refused.mend);
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <section
      aria-label="Messages"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 bottom-18 z-40 flex flex-col items-end gap-2 md:bottom-20 md:left-auto md:w-96"
    >
      {shown.map((toast) => (
        <div
          key={toast.id}
          role={toast.kind === 'failed' ? 'alert' : undefined}
          className="pointer-events-auto flex w-full items-start gap-2.5 rounded-md border border-line-strong bg-raised p-3 shadow-xl"
        >
          <Icon
            name={toast.kind === 'failed' ? 'warning' : 'check'}
            className={`mt-0.5 ${toast.kind === 'failed' ? 'text-danger' : 'text-gain'}`}
          />
          <div className="min-w-0 flex-1">
            <p className="text-sm font-medium text-ink">{toast.title}</p>
            {toast.text !== '' && <p className="text-xs text-soft">{toast.text}</p>}
          </div>
          <Button
            look="quiet"
            small
            icon="close"
            aria-label="Close this message"
            onClick={() => dismiss(toast.id)}
          />
        </div>
      ))}
    </section>
  );
}
