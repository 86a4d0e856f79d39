import type { z } from 'zod';
import { type AlertRow, type DeliveryRow, type Standing, standingOf } from '../../../alerts/alert-tables.ts';
import type { alertLine, delivery } from '../../../contract/areas/house.ts';

/** An alert as the console shows it. */
export function alertView(row: AlertRow): z.output<typeof alertLine> {
  const { id, at, severity, key, kind, title, body, portfolio } = row;
  return {
    id,
    at,
    severity,
    key: key ?? '',
    kind,
    text: body === '' ? title : `${title}: ${body}`,
    portfolio,
    state: standingOf(row),
    by: row.resolvedBy ?? row.acknowledgedBy,
  };
}

/** A delivery as the console shows it. */
export function deliveryView(row: DeliveryRow): z.output<typeof delivery> {
  const { id, alertId, channel, state, attempts, nextAt, createdAt, deliveredAt, lastError } = row;
  return {
    id: String(id),
    alertId,
    channel,
    state: state === 'abandoned' ? 'failed' : state,
    attempts,
    nextAt: state === 'pending' ? nextAt : null,
    at: deliveredAt ?? createdAt,
    error: lastError,
  };
}

const STANDINGS: readonly Standing[] = ['open', 'acknowledged', 'resolved', 'suppressed'];

/** How an alert may stand; null for a word that is none. */
export const standingNamed = (name: string): Standing | null => STANDINGS.find((one) => one === name) ?? null;
