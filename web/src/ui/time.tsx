import { useSyncExternalStore } from 'react';
import { localStamp, NOTHING, span, utcDate, utcTime, zoneName } from './format.ts';

let second = Date.now();
const told = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function follow(tell: () => void): () => void {
  told.add(tell);
  timer ??= setInterval(() => {
    second = Date.now();
    for (const each of told) each();
  }, 1_000);
  return () => {
    told.delete(tell);
    if (told.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** Wall time, epoch ms, anew every second. */
export function useNow(): number {
  return useSyncExternalStore(follow, () => second);
}

interface Props {
  readonly at: number | null | undefined;
  /** `time`: the time of day alone; `stamp`: date and time; `two`: with the local time on a second line. */
  readonly show?: 'time' | 'stamp' | 'two' | 'date';
}

/** An instant in UTC, with the local time on hover. */
export function Time({ at, show = 'stamp' }: Props) {
  if (at === null || at === undefined) return <span className="text-muted">{NOTHING}</span>;
  const utc = `${utcDate(at)} ${utcTime(at)}`;
  const local = `${localStamp(at)} ${zoneName()}`;
  const title = `${utc} UTC\n${local}`;
  if (show === 'two') return <Two at={at} title={title} />;
  const shown = show === 'time' ? utcTime(at) : show === 'date' ? utcDate(at) : utc;
  return (
    <time dateTime={new Date(at).toISOString()} title={title} className="whitespace-nowrap">
      {shown}
    </time>
  );
}

/** Date and time with the local time below; on a phone the time with the date below. */
function Two({ at, title }: { readonly at: number; readonly title: string }) {
  const elsewhere = new Date(at).getTimezoneOffset() !== 0;
  return (
    <time dateTime={new Date(at).toISOString()} title={title} className="whitespace-nowrap">
      <span className="hidden sm:inline">{utcDate(at)} </span>
      {utcTime(at)}
      <span className="block text-2xs text-muted sm:hidden">{utcDate(at)}</span>
      {elsewhere && <span className="hidden text-2xs text-muted sm:block">{localStamp(at)} local</span>}
    </time>
  );
}

/** How long ago an instant was; the instant itself on hover. */
export function Ago({ at }: { readonly at: number | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span className="text-muted">{NOTHING}</span>;
  const utc = `${utcDate(at)} ${utcTime(at)} UTC`;
  return (
    <time
      dateTime={new Date(at).toISOString()}
      title={`${utc}\n${localStamp(at)} ${zoneName()}`}
      className="whitespace-nowrap"
    >
      {span(now - at)} ago
    </time>
  );
}
