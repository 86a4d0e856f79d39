import type { Instant } from '#base';
import type { Alert } from './alert.ts';

/** Alerts that no journal and no incident stand behind. */
const OWN = { verb: 'trigger', desk: null, instrument: null, details: {}, live: true } as const;

export function testAlert(id: string, by: string, at: Instant): Alert {
  const title = 'test alert';
  const body = `Sent by ${by}: this channel works.`;
  return { ...OWN, id, at, severity: 'info', kind: 'test', subject: id, portfolio: null, title, body };
}

export function summaryAlert(summary: { day: string; title: string; body: string }, at: Instant): Alert {
  const { day, title, body } = summary;
  const id = `summary-${day}`;
  return { ...OWN, id, at, severity: 'info', kind: 'summary', subject: id, portfolio: null, title, body };
}
