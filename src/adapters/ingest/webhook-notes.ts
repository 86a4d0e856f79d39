/** What is worth a line in a log. Never holds an address path, a secret, a token or a body. */
export type WebhookNote =
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly reason: string;
      readonly message: string;
      readonly sender: string | null;
      readonly desk: string | null;
      /** Stands for an unknown secret; the same one has the same mark until the process ends. */
      readonly secret: string | null;
    }
  /** A fault of ours: its kind and the line of our code, never its words, which may repeat what was sent. */
  | { readonly kind: 'failed'; readonly where: string; readonly sender: string | null }
  /** `X-Forwarded-For` came, with the right secret, from somebody who is not among the proxies. Told once. */
  | { readonly kind: 'unlisted-proxy'; readonly proxy: string }
  | { readonly kind: 'differs'; readonly config: string; readonly barTime: number; readonly sender: string };

/** Where a fault of ours was thrown: `TypeError in configOf (bar-body.ts:190:5)`. */
export function placeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'something that is no error';
  const frame = /^\s+at (?:(\S+) \()?\S*?([^/\\\s]+:\d+:\d+)\)?$/m.exec(cause.stack ?? '');
  return frame === null ? cause.name : `${cause.name} in ${frame[1] ?? 'a callback'} (${frame[2]})`;
}
