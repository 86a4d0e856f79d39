import { join } from 'node:path';
import { type ParquetColumn, writeParquetTable } from '#adapters';
import { type FillFact, tradeReturn } from '#research';
import { decisionOf, type RunView } from './run-view.ts';

/**
 * Writes `equity`, `daily`, `fills` and `trades` as Parquet; returns their paths. Times are epoch milliseconds, money is in
 * units of the account's currency, returns are fractions, what is not known is NULL.
 */
export async function writeRunTables(folder: string, view: RunView): Promise<string[]> {
  const { run, daily, returns } = view;
  const { equity, fills, trades } = run;
  const tables: Readonly<Record<string, readonly ParquetColumn[]>> = {
    equity: [whole('time', equity.times), float('equity', equity.values)],
    daily: [
      whole('time', daily.times),
      float('equity', daily.values),
      float('return', returns ?? Array.from(daily.times, () => null)),
    ],
    fills: [
      whole(
        'time',
        fills.map((one) => one.time),
      ),
      ...(['book', 'instrument', 'side', 'liquidity', 'orderId', 'reason'] as const).map((name) =>
        words(
          name,
          fills.map((one: FillFact) => one[name]),
        ),
      ),
      ...(['quantity', 'price', 'fee'] as const).map((name) =>
        float(
          name,
          fills.map((one) => one[name]),
        ),
      ),
    ],
    trades: [
      words(
        'id',
        trades.map(({ id }) => id),
      ),
      words(
        'book',
        trades.map(({ book }) => book),
      ),
      words(
        'instrument',
        trades.map(({ instrument }) => instrument),
      ),
      whole(
        'direction',
        trades.map(({ direction }) => direction),
      ),
      whole(
        'openedAt',
        trades.map(({ openedAt }) => openedAt),
      ),
      whole(
        'closedAt',
        trades.map(({ closedAt }) => closedAt),
      ),
      ...(
        ['quantity', 'entryPrice', 'exitPrice', 'realised', 'fees', 'funding', 'net', 'notional'] as const
      ).map((name) =>
        float(
          name,
          trades.map((one) => one[name]),
        ),
      ),
      float('return', trades.map(tradeReturn)),
      float(
        'mae',
        trades.map(({ id }) => view.market.excursions.get(id)?.adverse ?? null),
      ),
      float(
        'mfe',
        trades.map(({ id }) => view.market.excursions.get(id)?.favourable ?? null),
      ),
      words(
        'regime',
        trades.map(({ id }) => decisionOf(view, id)?.regime ?? null),
      ),
      words(
        'entryReason',
        trades.map(({ id }) => view.entries.get(id)?.reason ?? null),
      ),
      words(
        'exitReason',
        trades.map(({ exitReason }) => exitReason),
      ),
    ],
  };
  const paths: string[] = [];
  for (const [name, columns] of Object.entries(tables)) {
    const path = join(folder, `${name}.parquet`);
    await writeParquetTable(path, columns);
    paths.push(path);
  }
  return paths;
}

const whole = (name: string, values: ArrayLike<number>): ParquetColumn => ({ name, type: 'whole', values });
const float = (name: string, values: ArrayLike<number | null>): ParquetColumn => ({
  name,
  type: 'float',
  values,
});
const words = (name: string, values: readonly (string | null)[]): ParquetColumn => ({
  name,
  type: 'text',
  values,
});
