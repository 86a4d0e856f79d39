import { InputError } from '#base';

const MEND =
  'give it { "kind": "simulated" }, and the live prices of the venue by the feed, such as { "kind": "edgex" }; what it would take to trade real money stands in docs/guide.md under "Real money"';
/** What somebody would write who means real money. */
const REAL = /^(live|real|edgex|binance(-usdm)?)$/i;

/**
 * Refuses a configuration that asks for live trading, in words of its own: it is no slip of the pen but something that the
 * program does not do. Throws {@link InputError}.
 */
export function refuseLiveTrading(value: unknown, file: string): void {
  const { accounts, portfolios, feeds } = record(value);
  if (asks(value)) throw refusal(file);
  for (const [place, group] of Object.entries({ accounts, portfolios, feeds })) {
    for (const [name, entry] of Object.entries(record(group))) {
      const { kind } = record(entry);
      const isRealAccount = place === 'accounts' && typeof kind === 'string' && REAL.test(kind);
      if (isRealAccount || asks(entry)) throw refusal(`${file}: ${place}.${name}`);
    }
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** `"live": true`, `"mode": "live"`, `"armed": true`, or a phrase to arm with. */
function asks(value: unknown): boolean {
  const { live, armed, mode, arming } = record(value);
  return live === true || armed === true || mode === 'live' || arming !== undefined;
}

const refusal = (where: string): InputError =>
  new InputError(`${where} asks for live trading, and this program trades on paper alone`, MEND);
