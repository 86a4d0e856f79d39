import { call } from '../../api/client.ts';
import { asRefused } from '../../api/errors.ts';
import { useAsk, usePages } from '../../api/queries.ts';
import { Differences } from '../../forms/differences.tsx';
import { DocumentEditor } from '../../forms/document-editor.tsx';
import type { Schema } from '../../forms/json-schema.ts';
import { Versions } from '../../forms/versions.tsx';
import { perform } from '../../ui/act.tsx';
import { Loaded } from '../../ui/state.tsx';
import { tell, tellError } from '../../ui/toast.tsx';

/** What `quorum start` runs: checked, shown as a difference, saved for the next start. */
export function ConfigurationEditor() {
  const configuration = useAsk('configuration', {});
  const check = async (value: unknown) => {
    try {
      const answer = await dryRun(value);
      const count = answer.differences.length;
      tell(
        'The configuration is sound',
        `${count} ${count === 1 ? 'value differs' : 'values differ'} from what is saved.`,
      );
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <>
      <Loaded of={configuration} what="Reading the configuration">
        {(data) => (
          <DocumentEditor
            key={JSON.stringify(data.configuration)}
            title="Configuration"
            note={
              data.file === null ? (
                'no file yet: saving makes quorum.config.json'
              ) : (
                <code className="font-mono break-all">{data.file}</code>
              )
            }
            schema={data.schema as Schema}
            saved={data.configuration ?? { portfolios: {} }}
            onCheck={check}
            onSave={async (value, changes) => {
              const answer = await perform({
                route: 'saveConfiguration',
                body: { configuration: value as Record<string, unknown>, dryRun: false },
                title: 'Save the configuration',
                says: (
                  <div className="flex flex-col gap-2">
                    <p>It is used from the next start on; what runs now is not changed.</p>
                    <div className="thin-scroll max-h-60 overflow-auto">
                      <Differences items={changes} label="What changes" />
                    </div>
                  </div>
                ),
                verb: 'Save',
                danger: true,
                done: 'The configuration is saved for the next start',
                makesOld: ['configuration', 'configurationHistory'],
              });
              return answer !== null;
            }}
          />
        )}
      </Loaded>
      <History />
    </>
  );
}

/** What the server thinks of it. Nothing is changed, so its second question is answered at once. */
async function dryRun(value: unknown) {
  const body = { configuration: value as Record<string, unknown>, reason: 'checked only', dryRun: true };
  try {
    return await call('saveConfiguration', { body });
  } catch (error) {
    const { confirmation } = asRefused(error);
    if (confirmation === null) throw error;
    return call('saveConfiguration', { body }, { confirm: confirmation.token });
  }
}

function History() {
  return <Versions of={usePages('configurationHistory', { query: { limit: 20 } })} />;
}
