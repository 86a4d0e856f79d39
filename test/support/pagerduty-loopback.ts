import { HttpLoopback, sendJson } from './http-loopback.ts';

interface Event {
  readonly routing_key?: string;
  readonly event_action?: string;
  readonly dedup_key?: string;
  readonly payload?: { readonly summary?: string; readonly source?: string; readonly severity?: string };
}

/** Plays the Events API v2: checks what the service checks and keeps incidents by dedup key. */
export class PagerDutyLoopback {
  readonly http: HttpLoopback;
  readonly events: Event[] = [];
  /** State of every incident. */
  readonly incidents = new Map<string, 'triggered' | 'acknowledged' | 'resolved'>();

  constructor() {
    this.http = new HttpLoopback(({ path, body }, response) => {
      const event = JSON.parse(body) as Event;
      const errors = path === '/v2/enqueue' ? faultsOf(event) : ['no such address'];
      if (errors.length > 0) {
        sendJson(response, 400, { status: 'invalid event', message: 'Event object is invalid', errors });
        return;
      }
      this.events.push(event);
      const key = event.dedup_key ?? 'made-up';
      const known = this.incidents.get(key);
      if (event.event_action === 'trigger') {
        if (known === undefined || known === 'resolved') this.incidents.set(key, 'triggered');
      } else if (known !== undefined && known !== 'resolved')
        this.incidents.set(key, event.event_action === 'resolve' ? 'resolved' : 'acknowledged');
      sendJson(response, 202, { status: 'success', message: 'Event processed', dedup_key: key });
    });
  }
}

function faultsOf({ routing_key, event_action, dedup_key, payload }: Event): string[] {
  const faults: string[] = [];
  if (routing_key?.length !== 32)
    faults.push("Length of 'routing_key' is incorrect (should be 32 characters)");
  if (event_action === 'trigger') {
    if (!payload?.summary || payload.summary.length > 1_024)
      faults.push("'payload.summary' is missing or too long");
    if (!payload?.source) faults.push("'payload.source' is missing or blank");
    if (!['critical', 'error', 'warning', 'info'].includes(payload?.severity ?? ''))
      faults.push("'payload.severity' is invalid");
  } else if (event_action !== 'acknowledge' && event_action !== 'resolve')
    faults.push("'event_action' is invalid");
  else if (!dedup_key) faults.push("'dedup_key' is missing");
  if (dedup_key !== undefined && dedup_key.length > 255) faults.push("'dedup_key' is too long");
  return faults;
}
