import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from 'react';

const BOX =
  'w-full min-h-9 rounded border border-line-strong bg-bg px-2.5 py-1.5 text-sm text-ink placeholder:text-muted disabled:opacity-60';

interface Around {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: ReactNode;
  /** The label is said but not shown. */
  readonly bare?: boolean;
  readonly className?: string;
}

function Framed({
  id,
  label,
  hint,
  error,
  bare,
  className = '',
  children,
}: Around & { readonly id: string; readonly children: ReactNode }) {
  return (
    <div className={className}>
      <label htmlFor={id} className={bare === true ? 'sr-only' : 'mb-1 block text-xs font-medium text-soft'}>
        {label}
      </label>
      {children}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      )}
      {error !== undefined && error !== null && (
        <p id={`${id}-error`} role="alert" className="mt-1 text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}

function told(id: string, { hint, error }: Around) {
  const ids = [
    hint !== undefined && `${id}-hint`,
    error !== undefined && error !== null && `${id}-error`,
  ].filter(Boolean);
  return {
    'aria-describedby': ids.length > 0 ? ids.join(' ') : undefined,
    'aria-invalid': (error !== undefined && error !== null) || undefined,
  };
}

export function Field(props: Around & InputHTMLAttributes<HTMLInputElement>) {
  const own = useId();
  const { label, hint, error, bare, className, id = own, ...rest } = props;
  return (
    <Framed id={id} label={label} hint={hint} error={error} bare={bare} className={className}>
      <input id={id} autoComplete="off" {...rest} {...told(id, props)} className={BOX} />
    </Framed>
  );
}

export function Area(props: Around & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const own = useId();
  const { label, hint, error, bare, className, id = own, ...rest } = props;
  return (
    <Framed id={id} label={label} hint={hint} error={error} bare={bare} className={className}>
      <textarea id={id} rows={3} {...rest} {...told(id, props)} className={BOX} />
    </Framed>
  );
}

export function Choice(props: Around & SelectHTMLAttributes<HTMLSelectElement>) {
  const own = useId();
  const { label, hint, error, bare, className, id = own, children, ...rest } = props;
  return (
    <Framed id={id} label={label} hint={hint} error={error} bare={bare} className={className}>
      <select id={id} {...rest} {...told(id, props)} className={BOX}>
        {children}
      </select>
    </Framed>
  );
}
