import type { AlertMessage } from '#adapters';
import type { Alert } from '../../src/apps/alerts/alert.ts';

/** A message with everything set; what is given takes the place of it. */
export function messageWith(given: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id: 'demo-1-7',
    verb: 'trigger',
    key: 'demo/breaker',
    at: Date.UTC(2026, 10, 21, 12),
    severity: 'critical',
    kind: 'breaker',
    portfolio: 'demo',
    desk: 'sigma',
    instrument: 'BTCUSDT.BINANCE-USDM',
    title: 'breaker HALT: daily-loss',
    body: 'day -4.1 %',
    details: { loss: '0.041' },
    ...given,
  };
}

export function alertWith(given: Partial<Alert> = {}): Alert {
  const { key: _, verb: __, ...rest } = messageWith();
  return { ...rest, verb: 'trigger', subject: 'breaker', live: true, at: 0, ...given };
}
