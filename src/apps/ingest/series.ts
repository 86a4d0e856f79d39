import type { WebhookConfig } from '#adapters';
import { InputError, MINUTE, parseInterval } from '#base';
import { S1_CONFIGS, s1Instrument } from '#desks';
import { type InstrumentId, parseInstrumentId } from '#market';

/** Bars of one length of one instrument that come under the name of a config. */
export interface Series extends WebhookConfig {
  readonly instrument: InstrumentId;
}

/** Length names of config ids: `M` means minutes. */
const CONFIG_ID = /^[A-Z0-9]+(?:_[A-Z0-9]+)*_([A-Z0-9]+)_([1-9]\d{0,3})(M|H|D)$/;

/** Symbol and interval that a config id such as `S1_RX68_BTC_15M` names; null when it names none. */
export function readConfigId(id: string): { readonly symbol: string; readonly intervalMs: number } | null {
  const found = CONFIG_ID.exec(id);
  const intervalMs = found === null ? null : parseInterval(`${found[2]}${found[3]!.toLowerCase()}`);
  return intervalMs === null ? null : { symbol: found![1]!, intervalMs };
}

/** Key of a config's stream: `s1.rx68.btc.15m`. */
export const streamOf = (id: string): string => id.toLowerCase().replaceAll('_', '.');

/** What a series may be told beside its config id. */
export interface SeriesRequest {
  readonly instrument: string;
  readonly tickers?: readonly string[] | undefined;
}

/** The sixteen of S1 on an instrument for each symbol. */
export function s1Series(instruments: Readonly<Record<string, string>>): Record<string, SeriesRequest> {
  return Object.fromEntries(
    S1_CONFIGS.map(({ id, symbol }) => [id, { instrument: instruments[symbol] ?? s1Instrument(symbol) }]),
  );
}

/** Reads series by config id. Throws {@link InputError} for an id or an instrument that is none, and for two of one kind. */
export function seriesOf(requests: Readonly<Record<string, SeriesRequest>>): readonly Series[] {
  const known = new Map<string, string>();
  return Object.entries(requests).map(([id, { instrument, tickers }]) => {
    const read = readConfigId(id);
    if (read === null || read.intervalMs % MINUTE !== 0)
      throw new InputError(
        `"${id}" is no config id`,
        'write DESK_SYMBOL_LENGTH in capitals, such as S1_RX68_BTC_15M',
      );
    const key = `${instrument} ${read.intervalMs}`;
    const other = known.get(key);
    if (other !== undefined)
      throw new InputError(`${other} and ${id} are bars of one length of ${instrument}`, 'keep one of them');
    known.set(key, id);
    return {
      id,
      stream: streamOf(id),
      ...read,
      instrument: parseInstrumentId(instrument).id,
      ...(tickers === undefined ? {} : { tickers }),
    };
  });
}
