import type { BarEntry, DeadLetter } from './bar-streams.ts';

/** An entry as Redis gives it: id and flat fields. Null fields: it was deleted. */
export type StreamItem = [id: string, fields: string[] | null];

/** The fields by name. Without a prototype: they come from outside. */
function fieldsOf(flat: readonly string[]): Record<string, string | undefined> {
  const fields: Record<string, string | undefined> = Object.create(null);
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  return fields;
}

/** Null when the fields are not those of a bar. */
export function entryOf(flat: readonly string[]): BarEntry | null {
  const { config, barTime, receivedAt, body, hash } = fieldsOf(flat);
  if (config === undefined || body === undefined || hash === undefined) return null;
  const time = wholeOf(barTime);
  const received = wholeOf(receivedAt);
  if (time === null || received === null) return null;
  return { config, barTime: time, receivedAt: received, body, hash };
}

const wholeOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;

export function deadLetterOf([id, flat]: StreamItem): DeadLetter {
  const fields = fieldsOf(flat ?? []);
  return {
    id,
    stream: fields.stream ?? '',
    entryId: fields.entryId ?? '',
    entry: entryOf(flat ?? []),
    deliveries: Number(fields.deliveries ?? 0),
    reason: fields.reason ?? '',
    at: Number(fields.at ?? 0),
  };
}
