import type { ReactNode } from 'react';
import type { Refused } from '../api/errors.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

/** Nothing is here: why, and what to do about it. */
export function Empty({
  title,
  children,
  icon = 'info',
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly icon?: IconName;
  readonly action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-1.5 px-4 py-8 text-center">
      <Icon name={icon} size={20} className="text-muted" />
      <p className="text-sm font-medium text-soft">{title}</p>
      {children !== undefined && <div className="max-w-prose text-xs text-muted">{children}</div>}
      {action}
    </div>
  );
}

export function Failed({ error, again }: { readonly error: Refused; readonly again?: () => void }) {
  return (
    <div role="alert" className="flex flex-col items-center gap-1.5 px-4 py-8 text-center">
      <Icon name="warning" size={20} className="text-danger" />
      <p className="text-sm font-medium text-ink">{error.message}</p>
      <p className="max-w-prose text-xs text-soft">{error.mend}</p>
      {again !== undefined && (
        <Button small icon="refresh" onClick={again} className="mt-1">
          Try again
        </Button>
      )}
    </div>
  );
}

export function Loading({ what = 'Loading' }: { readonly what?: string }) {
  return (
    <output className="flex items-center justify-center gap-2 px-4 py-8 text-xs text-muted">
      <span className="size-3 animate-spin rounded-full border-2 border-line-strong border-t-transparent" />
      {what}…
    </output>
  );
}

interface Answer<T> {
  readonly data: T | undefined;
  readonly error: Refused | null;
  readonly refetch: () => unknown;
}

/** What a query has: its data, else that it loads, else why it failed. Data once read stays on the screen. */
export function Loaded<T>({
  of,
  children,
  what,
}: {
  readonly of: Answer<T>;
  readonly children: (data: T) => ReactNode;
  readonly what?: string;
}) {
  if (of.data !== undefined) return children(of.data);
  if (of.error !== null) return <Failed error={of.error} again={() => void of.refetch()} />;
  return <Loading what={what} />;
}
