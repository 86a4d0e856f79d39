import type { Difference } from './difference.ts';

const LONGEST = 240;

function shown(value: unknown): string {
  if (value === undefined) return '(not set)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

interface Props {
  readonly items: readonly Difference[];
  readonly label: string;
  /** Heads of the two columns. */
  readonly heads?: readonly [string, string];
}

/** What changes, value by value. */
export function Differences({ items, label, heads = ['Before', 'After'] }: Props) {
  if (items.length === 0) return <p className="text-xs text-muted">Nothing differs.</p>;
  return (
    <table className="w-full table-fixed text-left text-xs">
      <caption className="sr-only">{label}</caption>
      <thead>
        <tr className="border-b border-line text-muted">
          {['Value', ...heads].map((head) => (
            <th key={head} scope="col" className="py-1 pr-3 font-medium">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.path} className="border-b border-line align-top last:border-0">
            <th scope="row" className="py-1 pr-3 font-mono font-medium break-words text-ink">
              {item.path}
            </th>
            <td className="py-1 pr-3 font-mono break-words text-loss">
              <span aria-hidden="true">− </span>
              {shown(item.before)}
            </td>
            <td className="py-1 font-mono break-words text-gain">
              <span aria-hidden="true">+ </span>
              {shown(item.after)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
