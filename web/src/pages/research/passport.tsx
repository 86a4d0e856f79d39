import { useAsk } from '../../api/queries.ts';
import { PlainView } from '../../forms/plain-view.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';

/** What is known of a desk: how much of its result may be luck, and how far it may go. */
export function PassportPanel({ hash }: { readonly hash: string }) {
  const passport = useAsk('passport', { params: { hash } });
  return (
    <Loaded of={passport} what="Reading the passport">
      {(data) => {
        const { passport: judged, stage, newest: _, ...about } = data;
        return (
          <Panel title="Passport" note={<Badge>stage {String(stage ?? 'research')}</Badge>}>
            <div className="flex flex-col gap-3">
              {judged === null || judged === undefined ? (
                <Empty title="Nobody has judged this run yet" icon="research">
                  Run <code>quorum passport DIRECTORY</code> on the folder of the run: it says how much of the
                  result is luck.
                </Empty>
              ) : (
                <PlainView value={judged} />
              )}
              <details>
                <summary className="text-xs text-muted">The desk and its record</summary>
                <div className="mt-2">
                  <PlainView value={about} />
                </div>
              </details>
            </div>
          </Panel>
        );
      }}
    </Loaded>
  );
}
