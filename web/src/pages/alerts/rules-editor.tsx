import { useAsk } from '../../api/queries.ts';
import { Differences } from '../../forms/differences.tsx';
import { DocumentEditor } from '../../forms/document-editor.tsx';
import type { Schema } from '../../forms/json-schema.ts';
import { perform } from '../../ui/act.tsx';
import { Loaded } from '../../ui/state.tsx';

/** The rules of the alerts as a form or as JSON. */
export function RulesEditor() {
  const rules = useAsk('alertRules', {});
  return (
    <Loaded of={rules} what="Reading rules">
      {(data) => (
        <DocumentEditor
          key={JSON.stringify(data.rules)}
          title="Rules"
          schema={data.schema as Schema}
          saved={data.rules}
          onSave={async (value, changes) => {
            const answer = await perform({
              route: 'saveAlertRules',
              body: { rules: value as Record<string, unknown> },
              title: 'Save the rules',
              says: (
                <div className="flex flex-col gap-2">
                  <p>They count for the next alert.</p>
                  <div className="thin-scroll max-h-60 overflow-auto">
                    <Differences items={changes} label="What changes" />
                  </div>
                </div>
              ),
              verb: 'Save',
              done: 'The rules are saved',
              makesOld: ['alertRules'],
            });
            return answer !== null;
          }}
        />
      )}
    </Loaded>
  );
}
