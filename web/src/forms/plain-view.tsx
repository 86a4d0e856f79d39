import { decimal, words } from '../ui/format.ts';
import { isPlain } from './json-schema.ts';

const DEPTH_MOST = 4;
const ITEMS_MOST = 60;

/** Any JSON as names with values, nested ones indented. */
export function PlainView({ value, depth = 0 }: { readonly value: unknown; readonly depth?: number }) {
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="text-muted">none</span>;
    if (value.every((item) => typeof item !== 'object' || item === null))
      return <>{value.map(leaf).join(', ')}</>;
    return (
      <ol className="flex flex-col gap-1.5">
        {value.slice(0, ITEMS_MOST).map((item, i) => (
          <li key={i} className="border-l-2 border-line pl-2">
            <PlainView value={item} depth={depth + 1} />
          </li>
        ))}
        {value.length > ITEMS_MOST && <li className="text-muted">and {value.length - ITEMS_MOST} more</li>}
      </ol>
    );
  }
  if (!isPlain(value)) return <>{leaf(value)}</>;
  const entries = Object.entries(value);
  if (entries.length === 0) return <span className="text-muted">none</span>;
  if (depth >= DEPTH_MOST) return <code className="font-mono text-xs">{JSON.stringify(value)}</code>;
  return (
    <dl className="grid grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
      {entries.map(([name, part]) => (
        <div key={name} className="contents">
          <dt className="text-xs leading-5 text-muted">
            {words(name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase())}
          </dt>
          <dd className="min-w-0 text-ink">
            <PlainView value={part} depth={depth + 1} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function leaf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return decimal(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
