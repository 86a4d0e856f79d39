import { useState } from 'react';
import type { Paged } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Panel } from '../ui/panel.tsx';
import { Empty, Failed, Loading } from '../ui/state.tsx';
import { Time } from '../ui/time.tsx';
import type { Difference } from './difference.ts';
import { Differences } from './differences.tsx';

interface Version {
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
  readonly differences: readonly Difference[];
}

/** Who changed what and why, newest first; each opens into its values. */
export function Versions({ of, note }: { readonly of: Paged<Version>; readonly note?: string }) {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Panel title="History" note={note} flush>
      {of.error !== null ? (
        <Failed error={of.error} again={of.again} />
      ) : of.loading ? (
        <Loading />
      ) : of.items.length === 0 ? (
        <Empty title="Nobody has changed it here yet">What is saved above is kept with who and why.</Empty>
      ) : (
        <ol>
          {of.items.map((version) => (
            <li key={version.id} className="border-b border-line px-3 py-2 last:border-0">
              <button
                type="button"
                aria-expanded={open === version.id}
                onClick={() => setOpen(open === version.id ? null : version.id)}
                className="flex w-full flex-wrap items-baseline gap-x-3 text-left"
              >
                <Time at={version.at} />
                <span className="font-medium">{version.by}</span>
                <span className="text-soft">{version.reason}</span>
                <span className="ml-auto text-xs text-muted">
                  {version.differences.length} {version.differences.length === 1 ? 'value' : 'values'}
                </span>
              </button>
              {open === version.id && (
                <div className="thin-scroll mt-2 overflow-x-auto">
                  <Differences items={version.differences} label="What was changed" />
                </div>
              )}
            </li>
          ))}
        </ol>
      )}
      {of.more && (
        <div className="flex justify-center p-2">
          <Button small busy={of.loadingMore} onClick={of.loadMore}>
            Older
          </Button>
        </div>
      )}
    </Panel>
  );
}
