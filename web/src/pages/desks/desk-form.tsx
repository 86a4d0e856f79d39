import { useState } from 'react';
import { useMay } from '../../api/session.ts';
import { differencesOf } from '../../forms/difference.ts';
import { Differences } from '../../forms/differences.tsx';
import type { Schema } from '../../forms/json-schema.ts';
import { validate } from '../../forms/json-schema.ts';
import { SchemaForm } from '../../forms/schema-form.tsx';
import { perform } from '../../ui/act.tsx';
import { Button } from '../../ui/button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty } from '../../ui/state.tsx';
import type { Desk } from './index.tsx';

/** The parameters of a desk as a form: checked while typing, shown as a difference before it is saved. */
export function DeskForm({ desk }: { readonly desk: Desk }) {
  const administrator = useMay('administrator');
  const saved = desk.pending ?? desk.parameters;
  const [edited, setEdited] = useState<unknown>(null);
  const value = edited ?? saved;
  const schema = desk.schema as Schema;
  const errors = validate(value, schema, schema);
  const changes = differencesOf(saved, value);
  const waiting = desk.pending === null ? [] : differencesOf(desk.parameters, desk.pending);

  const save = async () => {
    const answer = await perform({
      route: 'saveDeskParameters',
      params: { name: desk.name },
      body: { parameters: value as Record<string, unknown> },
      title: `Save parameters of ${desk.name}`,
      says: (
        <div className="flex flex-col gap-2">
          <p>They are used from the next fresh start of the portfolio on; what runs now is not changed.</p>
          <div className="thin-scroll max-h-60 overflow-auto">
            <Differences items={changes} label="What changes" />
          </div>
        </div>
      ),
      verb: 'Save',
      done: `Saved for the next fresh start of ${desk.name}`,
      makesOld: ['desks', 'deskHistory'],
    });
    if (answer !== null) setEdited(null);
  };
  if (Object.keys(desk.schema).length === 0)
    return (
      <Panel title={`Parameters of ${desk.name}`}>
        <Empty title="This desk says nothing of its parameters">
          Its file has no schema; change them on the command line.
        </Empty>
      </Panel>
    );
  return (
    <Panel
      title={`Parameters of ${desk.name}`}
      note={administrator ? 'empty boxes take the standard value' : 'an administrator may change them'}
      actions={
        <>
          <Button small disabled={changes.length === 0} onClick={() => setEdited(null)}>
            Discard
          </Button>
          <Button
            small
            look="primary"
            disabled={!administrator || changes.length === 0 || errors.size > 0}
            onClick={() => void save()}
          >
            Save…
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {waiting.length > 0 && (
          <div className="rounded border border-line bg-warn-soft p-3">
            <p className="mb-1 text-sm font-medium">Saved, and used from the next fresh start on:</p>
            <div className="thin-scroll overflow-x-auto">
              <Differences items={waiting} label="Changes that wait" />
            </div>
          </div>
        )}
        <SchemaForm
          schema={schema}
          value={value}
          errors={errors}
          disabled={!administrator}
          onChange={setEdited}
        />
        {changes.length > 0 && (
          <div className="rounded border border-line bg-raised p-3">
            <h3 className="mb-1 text-xs font-semibold">
              {changes.length} {changes.length === 1 ? 'change' : 'changes'}
              {errors.size > 0 && <span className="text-danger">, {errors.size} to mend first</span>}
            </h3>
            <div className="thin-scroll overflow-x-auto">
              <Differences items={changes} label="What changes" />
            </div>
          </div>
        )}
      </div>
    </Panel>
  );
}
