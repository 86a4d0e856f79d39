import { type ReactNode, useId, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Area, Choice, Field } from '../ui/field.tsx';
import {
  blank,
  boundsOf,
  choicesOf,
  type Errors,
  isPlain,
  kindOf,
  resolved,
  type Schema,
  variantName,
  variantOf,
  withoutNull,
} from './json-schema.ts';

interface NodeProps {
  readonly name: string;
  readonly path: string;
  readonly schema: Schema;
  readonly root: Schema;
  readonly value: unknown;
  readonly errors: Errors;
  readonly disabled: boolean;
  /** undefined takes the value out. */
  readonly onChange: (value: unknown) => void;
}

interface Props {
  readonly schema: Schema;
  readonly value: unknown;
  readonly errors: Errors;
  readonly disabled?: boolean;
  readonly onChange: (value: unknown) => void;
}

/** A form made from a JSON schema. `value` is the tree that is edited, `errors` what is wrong with it by path. */
export function SchemaForm({ schema, value, errors, disabled = false, onChange }: Props) {
  const own = resolved(schema, schema);
  const common = { root: schema, errors, disabled };
  if (kindOf(own) === 'object')
    return <Properties {...common} schema={own} value={value} path="" onChange={onChange} />;
  return <Node {...common} name="Value" path="" schema={own} value={value} onChange={onChange} />;
}

function Properties({ schema, value, path, onChange, ...rest }: Omit<NodeProps, 'name'>) {
  const own = isPlain(value) ? value : {};
  const set = (name: string) => (next: unknown) => {
    const { [name]: _, ...others } = own;
    onChange(next === undefined ? others : { ...own, [name]: next });
  };
  const entries = Object.entries(schema.properties ?? {}).filter(
    ([name, part]) => name !== '$schema' && part.const === undefined,
  );
  const unknown = Object.keys(own).filter(
    (name) => name !== '$schema' && schema.properties?.[name] === undefined,
  );
  return (
    <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2 xl:grid-cols-3">
      {entries.map(([name, part]) => (
        <Node
          key={name}
          {...rest}
          name={name}
          path={path === '' ? name : `${path}.${name}`}
          schema={part}
          value={own[name]}
          onChange={set(name)}
        />
      ))}
      {unknown.map((name) => (
        <p key={name} className="flex items-center gap-2 text-xs text-danger">
          <code className="font-mono">{name}</code> is not known.
          <Button small disabled={rest.disabled} onClick={() => set(name)(undefined)}>
            Take it out
          </Button>
        </p>
      ))}
    </div>
  );
}

function hintOf(schema: Schema): ReactNode {
  const bounds = boundsOf(schema);
  const standard =
    schema.default === undefined || typeof schema.default === 'object'
      ? ''
      : `standard ${said(schema.default)}`;
  const text = [schema.description, bounds, standard].filter(Boolean).join('; ');
  return text === '' ? undefined : text;
}

function Node(props: NodeProps) {
  const { root, path, errors, disabled, value, onChange } = props;
  const { inner, nullable } = withoutNull(resolved(props.schema, root));
  const schema = resolved(inner, root);
  const common = {
    label: <span className="font-mono">{props.name}</span>,
    hint: hintOf({ ...schema, description: props.schema.description ?? schema.description }),
    error: errors.get(path),
    disabled,
  };
  switch (kindOf(schema)) {
    case 'choice':
    case 'boolean': {
      const choices = kindOf(schema) === 'boolean' ? [true, false] : choicesOf(schema);
      const chosen = value === undefined ? 'unset' : value === null ? 'null' : String(choices.indexOf(value));
      return (
        <Choice
          {...common}
          value={chosen}
          onChange={(event) => {
            const picked = event.target.value;
            onChange(picked === 'unset' ? undefined : picked === 'null' ? null : choices[Number(picked)]);
          }}
        >
          <option value="unset">
            {schema.default === undefined ? 'not set' : `standard: ${said(schema.default)}`}
          </option>
          {nullable && <option value="null">none</option>}
          {choices.map((choice, i) => (
            <option key={String(choice)} value={i}>
              {said(choice)}
            </option>
          ))}
        </Choice>
      );
    }
    case 'number':
      return (
        <Field
          {...common}
          inputMode="decimal"
          placeholder={nullable ? 'none' : schema.default === undefined ? undefined : String(schema.default)}
          value={value === undefined || value === null ? '' : String(value)}
          onChange={(event) => onChange(numberFrom(event.target.value, nullable))}
        />
      );
    case 'text':
      return (
        <Field
          {...common}
          spellCheck={false}
          placeholder={nullable ? 'none' : schema.default === undefined ? undefined : String(schema.default)}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => {
            const text = event.target.value;
            onChange(text === '' ? (nullable ? null : undefined) : text);
          }}
        />
      );
    case 'object':
      return (
        <Group {...props} schema={schema} optional={value === undefined || nullable}>
          <Properties {...props} schema={schema} />
        </Group>
      );
    case 'list':
      return (
        <Group {...props} schema={schema}>
          <List {...props} schema={schema} />
        </Group>
      );
    case 'record':
      return (
        <Group {...props} schema={schema}>
          <RecordNode {...props} schema={schema} />
        </Group>
      );
    case 'variant':
      return (
        <Group {...props} schema={schema}>
          <Variant {...props} schema={schema} />
        </Group>
      );
    default:
      return <JsonNode {...props} schema={schema} />;
  }
}

/** Numbers are kept as they are typed while they are none yet, such as `0.`. */
function numberFrom(text: string, nullable: boolean): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return nullable ? null : undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) && String(number) === trimmed ? number : trimmed;
}

function said(value: unknown): string {
  return value === true ? 'yes' : value === false ? 'no' : value === null ? 'none' : String(value);
}

function Group({
  name,
  path,
  schema,
  value,
  errors,
  optional = false,
  disabled,
  root,
  onChange,
  children,
}: NodeProps & { readonly optional?: boolean; readonly children: ReactNode }) {
  const absent = optional && (value === undefined || value === null);
  return (
    <fieldset className="col-span-full min-w-0 rounded border border-line px-3 pt-1 pb-3">
      <legend className="px-1 text-xs font-semibold">
        <span className="font-mono">{name}</span>
        {schema.description !== undefined && (
          <span className="font-normal text-muted"> {schema.description}</span>
        )}
      </legend>
      {errors.has(path) && (
        <p role="alert" className="mb-2 text-xs text-danger">
          {errors.get(path)}
        </p>
      )}
      {absent ? (
        <Button
          small
          icon="plus"
          disabled={disabled}
          onClick={() => onChange(blank({ ...schema, default: undefined }, root))}
        >
          Set {name}
        </Button>
      ) : (
        children
      )}
    </fieldset>
  );
}

function List({ name, path, schema, root, value, errors, disabled, onChange }: NodeProps) {
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const part = schema.items!;
  return (
    <div className="flex flex-col gap-2">
      {items.map((item, i) => (
        <div key={i} className="flex items-end gap-2">
          <div className="grid min-w-0 flex-1">
            <Node
              name={`${name} ${i + 1}`}
              path={`${path}.${i}`}
              schema={part}
              root={root}
              value={item}
              errors={errors}
              disabled={disabled}
              onChange={(next) => onChange(items.map((old, at) => (at === i ? (next ?? '') : old)))}
            />
          </div>
          <Button
            look="quiet"
            icon="close"
            aria-label={`Take ${name} ${i + 1} out`}
            disabled={disabled}
            onClick={() => onChange(items.filter((_, at) => at !== i))}
          />
        </div>
      ))}
      <Button
        small
        icon="plus"
        className="self-start"
        disabled={disabled}
        onClick={() => onChange([...items, blank(part, root)])}
      >
        Add to {name}
      </Button>
    </div>
  );
}

function RecordNode({ name, path, schema, root, value, errors, disabled, onChange }: NodeProps) {
  const own = isPlain(value) ? value : {};
  const part = schema.additionalProperties as Schema;
  const [fresh, setFresh] = useState('');
  const taken = fresh.trim() === '' || fresh.trim() in own;
  return (
    <div className="flex flex-col gap-3">
      {Object.entries(own).map(([key, item]) => (
        <div key={key} className="flex items-end gap-2">
          <div className="grid min-w-0 flex-1">
            <Node
              name={key}
              path={path === '' ? key : `${path}.${key}`}
              schema={part}
              root={root}
              value={item}
              errors={errors}
              disabled={disabled}
              onChange={(next) => onChange({ ...own, [key]: next ?? '' })}
            />
          </div>
          <Button
            look="quiet"
            icon="close"
            aria-label={`Take ${key} out of ${name}`}
            disabled={disabled}
            onClick={() => {
              const { [key]: _, ...others } = own;
              onChange(others);
            }}
          />
        </div>
      ))}
      <div className="flex items-end gap-2">
        <Field
          label={`New name in ${name}`}
          value={fresh}
          disabled={disabled}
          onChange={(event) => setFresh(event.target.value)}
        />
        <Button
          icon="plus"
          disabled={disabled || taken}
          onClick={() => {
            onChange({ ...own, [fresh.trim()]: blank(part, root) });
            setFresh('');
          }}
        >
          Add
        </Button>
      </div>
    </div>
  );
}

function Variant(props: NodeProps) {
  const { schema, root, value, disabled, onChange, path } = props;
  const choices = (schema.anyOf ?? schema.oneOf)!;
  const chosen = variantOf(value, choices, root);
  const part = resolved(choices[chosen]!, root);
  return (
    <div className="flex flex-col gap-3">
      <Choice
        label="Kind"
        value={chosen}
        disabled={disabled}
        onChange={(event) => onChange(blank(choices[Number(event.target.value)]!, root))}
      >
        {choices.map((choice, i) => (
          <option key={variantName(choice, i, root)} value={i}>
            {variantName(choice, i, root)}
          </option>
        ))}
      </Choice>
      {kindOf(part) === 'object' ? (
        <Properties {...props} schema={part} path={path} />
      ) : (
        part.const === undefined && <Node {...props} schema={part} />
      )}
    </div>
  );
}

/** Anything else as JSON text. */
function JsonNode({ name, path, schema, value, errors, disabled, onChange }: NodeProps) {
  const id = useId();
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)));
  const [fault, setFault] = useState<string | null>(null);
  return (
    <Area
      id={id}
      className="col-span-full"
      label={<span className="font-mono">{name}</span>}
      hint={hintOf(schema) ?? 'JSON'}
      error={fault ?? errors.get(path)}
      value={text}
      rows={Math.min(12, Math.max(2, text.split('\n').length))}
      spellCheck={false}
      disabled={disabled}
      onChange={(event) => {
        const next = event.target.value;
        setText(next);
        if (next.trim() === '') {
          setFault(null);
          onChange(undefined);
          return;
        }
        try {
          onChange(JSON.parse(next));
          setFault(null);
        } catch (error) {
          // Text is what no object and no list can be: it cannot be saved by mistake.
          onChange(next);
          setFault(`This is no JSON yet: ${error instanceof Error ? error.message : 'check it'}`);
        }
      }}
    />
  );
}
