import type { ReactNode } from 'react';

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A part that scrolls by itself and can be reached and scrolled by keyboard. */
export function ScrollBox({ label, className = '', children }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of form fields it is not
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div role="group" aria-label={label} tabIndex={0} className={`thin-scroll overflow-auto ${className}`}>
      {children}
    </div>
  );
}
