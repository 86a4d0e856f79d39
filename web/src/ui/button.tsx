import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Icon, type IconName } from './icon.tsx';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const LOOKS: Record<Look, string> = {
  primary: 'bg-button text-button-ink border-transparent hover:opacity-90',
  plain: 'bg-surface text-ink border-line-strong hover:bg-hover',
  quiet: 'bg-transparent text-soft border-transparent hover:bg-hover hover:text-ink',
  danger: 'bg-danger-fill text-white border-transparent hover:brightness-110',
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: Look;
  readonly icon?: IconName;
  readonly small?: boolean;
  readonly busy?: boolean;
  readonly children?: ReactNode;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button. Without words in it, it must be given an `aria-label`. */
export function Button({
  look = 'plain',
  icon,
  small,
  busy,
  children,
  className = '',
  disabled,
  ...rest
}: Props) {
  const size = small === true ? 'min-h-7 px-2 text-xs' : 'min-h-9 px-3 text-sm';
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy === true}
      aria-busy={busy === true || undefined}
      className={`inline-flex items-center justify-center gap-1.5 whitespace-nowrap rounded border font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-50 ${size} ${LOOKS[look]} ${className}`}
    >
      {icon !== undefined && <Icon name={icon} size={small === true ? 14 : 16} />}
      {children}
    </button>
  );
}
