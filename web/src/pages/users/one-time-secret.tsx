import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** Something that is shown once and can never be read again. */
export function OneTimeSecret({
  title,
  secret,
  says,
  onClose,
}: {
  readonly title: string;
  readonly secret: string;
  readonly says: string;
  readonly onClose: () => void;
}) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="flex flex-col gap-3">
        <p className="text-sm text-soft">{says}</p>
        <code
          data-testid="one-time-secret"
          className="block rounded border border-line-strong bg-bg p-3 font-mono text-sm break-all whitespace-pre-wrap select-all"
        >
          {secret}
        </code>
        <p className="text-sm font-medium text-warn">
          It is shown this once only. Copy it before you close this.
        </p>
        <div className="flex flex-wrap items-center justify-end gap-2">
          <span aria-live="polite" className="text-xs text-muted">
            {copied === true && 'Copied'}
            {copied === false && 'The browser does not allow it: select the text and copy it.'}
          </span>
          <Button icon="copy" onClick={() => void copy()}>
            Copy
          </Button>
          <Button look="primary" onClick={onClose}>
            I have it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
