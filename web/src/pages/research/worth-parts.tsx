import { isPlain, type Plain } from '../../forms/json-schema.ts';
import { Badge } from '../../ui/badge.tsx';
import { Table } from '../../ui/table.tsx';
import { scaleOf, type Worth, WorthCell } from '../sources/worth.tsx';

interface Part {
  readonly name: string;
  readonly kind: string;
  readonly without: string;
  readonly verdict: string;
  readonly worth: Worth | null;
}

function partOf(value: unknown): Part[] {
  if (!isPlain(value)) return [];
  const sharpe = value.dailySharpe;
  const figures = isPlain(sharpe) ? [sharpe.estimate, sharpe.low, sharpe.high] : [];
  const [estimate, low, high] = figures;
  const known = typeof estimate === 'number' && typeof low === 'number' && typeof high === 'number';
  return [
    {
      name: String(value.name ?? value.id),
      kind: String(value.kind ?? ''),
      without: String(value.without ?? ''),
      verdict: String(value.verdict ?? ''),
      worth: known ? { value: estimate, low, high, unit: 'Sharpe' } : null,
    },
  ];
}

/** What each part of a desk is worth: the run with it against the run without it. */
export function WorthParts({ result }: { readonly result: Plain }) {
  const parts = (result.parts as readonly unknown[]).flatMap(partOf);
  const scale = scaleOf(parts);
  return (
    <Table<Part>
      label="Worth of the parts"
      rows={parts}
      keyOf={(part) => `${part.kind}/${part.name}`}
      empty={<p className="p-3 text-xs text-muted">This desk has no part that can be taken out.</p>}
      columns={[
        { head: 'Part', cell: (part) => part.name },
        { head: 'Kind', cell: (part) => part.kind },
        { head: 'Without it', wrap: true, from: 'md', cell: (part) => part.without },
        { head: 'Worth', cell: (part) => <WorthCell worth={part.worth} scale={scale} /> },
        { head: 'Verdict', cell: (part) => <Badge>{part.verdict}</Badge> },
      ]}
    />
  );
}
