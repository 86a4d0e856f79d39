import { type ReactNode, useState } from 'react';
import { useMay } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Area } from '../ui/field.tsx';
import { Panel } from '../ui/panel.tsx';
import { type Difference, differencesOf } from './difference.ts';
import { Differences } from './differences.tsx';
import { type Schema, validate } from './json-schema.ts';
import { SchemaForm } from './schema-form.tsx';

interface Props {
  readonly title: string;
  readonly note?: ReactNode;
  readonly schema: Schema;
  readonly saved: unknown;
  /** True when it was saved. */
  readonly onSave: (value: unknown, changes: readonly Difference[]) => Promise<boolean>;
  /** Has the server check it without saving; what it says comes as a message. */
  readonly onCheck?: (value: unknown) => Promise<void>;
}

/** A whole configuration, as a form or as JSON, with what is wrong with it and what changes before it is saved. */
export function DocumentEditor({ title, note, schema, saved, onSave, onCheck }: Props) {
  const administrator = useMay('administrator');
  const [edited, setEdited] = useState<{ readonly value: unknown } | null>(null);
  const [asText, setAsText] = useState(false);
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [checking, setChecking] = useState(false);
  const value = edited === null ? saved : edited.value;
  const errors = validate(value, schema, schema);
  const changes = differencesOf(saved, value);
  const sound = fault === null && errors.size === 0;

  const showText = () => {
    setText(JSON.stringify(value, null, 2));
    setFault(null);
    setAsText(true);
  };
  const type = (next: string) => {
    setText(next);
    try {
      setEdited({ value: JSON.parse(next) });
      setFault(null);
    } catch (error) {
      setFault(`This is no JSON yet: ${error instanceof Error ? error.message : 'check it'}`);
    }
  };
  const discard = () => {
    setEdited(null);
    setFault(null);
    setText(JSON.stringify(saved, null, 2));
  };
  return (
    <Panel
      title={title}
      note={note ?? (administrator ? undefined : 'an administrator may change them')}
      actions={
        <>
          <Button small disabled={fault !== null} onClick={() => (asText ? setAsText(false) : showText())}>
            {asText ? 'As a form' : 'As JSON'}
          </Button>
          <Button small disabled={changes.length === 0 && fault === null} onClick={discard}>
            Discard
          </Button>
          {onCheck !== undefined && (
            <Button
              small
              disabled={!administrator || !sound}
              busy={checking}
              onClick={async () => {
                setChecking(true);
                await onCheck(value).finally(() => setChecking(false));
              }}
            >
              Check
            </Button>
          )}
          <Button
            small
            look="primary"
            disabled={!administrator || changes.length === 0 || !sound}
            onClick={async () => {
              if (await onSave(value, changes)) setEdited(null);
            }}
          >
            Save…
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {asText ? (
          <Area
            label={`${title} as JSON`}
            rows={22}
            spellCheck={false}
            value={text}
            disabled={!administrator}
            error={fault}
            onChange={(event) => type(event.target.value)}
            style={{ fontFamily: 'var(--font-mono)' }}
          />
        ) : (
          <SchemaForm
            schema={schema}
            value={value}
            errors={errors}
            disabled={!administrator}
            onChange={(next) => setEdited({ value: next })}
          />
        )}
        {errors.size > 0 && (
          <div role="alert">
            <ul className="rounded border border-danger bg-danger-soft px-3 py-2 text-xs text-ink">
              {[...errors].slice(0, 12).map(([path, says]) => (
                <li key={path}>
                  <code className="font-mono">{path === '' ? '(all)' : path}</code>: {says}
                </li>
              ))}
            </ul>
          </div>
        )}
        {changes.length > 0 && (
          <div className="rounded border border-line bg-raised p-3">
            <h3 className="mb-1 text-xs font-semibold">What changes</h3>
            <div className="thin-scroll max-h-80 overflow-auto">
              <Differences items={changes} label="What changes" />
            </div>
          </div>
        )}
      </div>
    </Panel>
  );
}
