import { type ReactNode, useId } from 'react';

interface Props {
  readonly title: ReactNode;
  readonly actions?: ReactNode;
  readonly note?: ReactNode;
  readonly className?: string;
  /** Without inner space, for tables and charts that reach to the edge. */
  readonly flush?: boolean;
  readonly level?: 2 | 3;
  readonly children: ReactNode;
}

/** A part of a page with a heading. */
export function Panel({ title, actions, note, className = '', flush, level = 2, children }: Props) {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section
      aria-labelledby={id}
      className={`flex min-w-0 flex-col rounded-md border border-line bg-surface ${className}`}
    >
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <Heading id={id} className="text-sm font-semibold text-ink">
          {title}
        </Heading>
        {note !== undefined && <span className="text-xs text-muted">{note}</span>}
        {actions !== undefined && (
          <div className="ml-auto flex flex-wrap items-center gap-1.5">{actions}</div>
        )}
      </header>
      <div className={`min-w-0 flex-1 ${flush === true ? '' : 'p-3'}`}>{children}</div>
    </section>
  );
}

/** The head of a page. */
export function PageHead({
  title,
  says,
  actions,
}: {
  readonly title: string;
  readonly says?: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <div className="mb-3 flex flex-wrap items-end gap-x-4 gap-y-2">
      <div className="min-w-0">
        <h1 className="text-lg font-semibold leading-6 text-ink">{title}</h1>
        {says !== undefined && <p className="text-xs text-muted">{says}</p>}
      </div>
      {actions !== undefined && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}

/** One figure with its name, in a row of such. */
export function Metric({
  name,
  value,
  note,
  title,
}: {
  readonly name: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
  readonly title?: string;
}) {
  return (
    <div className="-mr-px -mb-px min-w-0 border-r border-b border-line px-3 py-2" title={title}>
      <dt className="truncate text-xs text-muted">{name}</dt>
      <dd className="mt-0.5 text-base font-semibold text-ink">{value}</dd>
      {note !== undefined && <dd className="text-xs text-muted">{note}</dd>}
    </div>
  );
}

export function Metrics({ children }: { readonly children: ReactNode }) {
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(8.5rem,1fr))] overflow-hidden rounded-md border border-line bg-surface">
      {children}
    </dl>
  );
}
