import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './button.tsx';

interface Props {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly wide?: boolean;
  readonly role?: 'dialog' | 'alertdialog';
}

/** A modal dialog: the browser keeps the focus in it, closes it with Escape and gives the focus back. */
export function Dialog({ title, onClose, children, wide, role = 'dialog' }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    if (!dialog.open) dialog.showModal();
    // The browser would begin with the button that closes it.
    dialog.querySelector<HTMLElement>('[data-body] :is(input, textarea, select, [data-first])')?.focus();
    return () => dialog.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it as well
    <dialog
      ref={ref}
      role={role}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className={`max-h-[90dvh] w-[calc(100%-2rem)] overflow-hidden rounded-lg border border-line-strong bg-surface p-0 text-ink shadow-2xl open:flex open:flex-col ${wide === true ? 'max-w-3xl' : 'max-w-lg'}`}
    >
      <header className="flex items-center gap-3 border-b border-line px-4 py-2.5">
        <h2 id={id} className="text-base font-semibold">
          {title}
        </h2>
        <Button look="quiet" small icon="close" aria-label="Close" className="ml-auto" onClick={onClose} />
      </header>
      <div data-body="" className="thin-scroll overflow-y-auto p-4">
        {children}
      </div>
    </dialog>
  );
}
