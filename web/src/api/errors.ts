import type { ConfirmationRequired, ErrorAnswer } from '@contract';

/** An answer that is an error: what went wrong, and what the reader can do. `status` 0: no answer came. */
export class Refused extends Error {
  override name = 'Refused';
  readonly status: number;
  readonly code: string;
  readonly mend: string;
  /** Of a 428: what the second call must carry. */
  readonly confirmation: ConfirmationRequired['confirmation'] | null;

  constructor(
    status: number,
    code: string,
    message: string,
    mend: string,
    confirmation: ConfirmationRequired['confirmation'] | null = null,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.mend = mend;
    this.confirmation = confirmation;
  }
}

export function unreachable(): Refused {
  return new Refused(
    0,
    'unreachable',
    'The server does not answer.',
    'Check that `quorum serve` runs. Trading does not depend on it: `quorum status` and `quorum operator kill` go on working.',
  );
}

/** With a capital and a full stop, as people read it. */
function sentence(text: string): string {
  if (text === '') return '';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?:]$/.test(text) ? '' : '.'}`;
}

/** Reads the error of an answer, also of one that did not come from the server (a proxy). */
export async function refusalOf(response: Response): Promise<Refused> {
  const value: unknown = await response.json().catch(() => null);
  const read = value as Partial<ErrorAnswer & ConfirmationRequired> | null;
  const error = read?.error;
  if (typeof error?.message === 'string')
    return new Refused(
      response.status,
      error.code,
      sentence(error.message),
      sentence(error.mend ?? ''),
      read?.confirmation ?? null,
    );
  return new Refused(
    response.status,
    'unexpected',
    `The server answered ${response.status}.`,
    'Try again; if it goes on, look at the logs on the System page.',
  );
}

export function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error;
  return new Refused(
    0,
    'unexpected',
    error instanceof Error ? error.message : 'Something went wrong.',
    'Reload the page.',
  );
}
