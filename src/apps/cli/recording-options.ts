import type { Command } from 'commander';
import type { BacktestRequest } from '../setup/run-backtest.ts';
import { instantArgument, numberArgument } from './arguments.ts';
import { EXIT, ExitError } from './terminal.ts';

/** Options of a command that plays recorded data. */
export interface RecordingOptions {
  readonly bars?: string[];
  readonly funding?: string[];
  readonly tape?: string[];
  readonly store?: string;
  readonly from?: number;
  readonly to?: number;
  readonly cash?: number;
  readonly feeBps?: number;
  readonly slippageBps?: number;
  readonly seed: string;
  readonly answers?: string;
}

/** Adds the options of {@link RecordingOptions}. */
export function withRecordingOptions(command: Command): Command {
  return command
    .option(
      '--bars <[INSTRUMENT=]FILE...>',
      'bars: CSV, gzip CSV, Parquet, or a series of the store (BTCUSDT.BINANCE-USDM@5m)',
    )
    .option('--funding <[INSTRUMENT=]FILE...>', 'funding rates: time,rate or symbol,time,funding_rate')
    .option(
      '--tape <[INSTRUMENT=]FILE...>',
      'other recordings, recognised by header: quotes, prints, marks, depth',
    )
    .option('--store <dir>', 'history store that holds the series named; history when left out')
    .option('--from <time>', 'first bar', instantArgument)
    .option('--to <time>', 'bars before this time', instantArgument)
    .option('--cash <amount>', 'opening cash', numberArgument())
    .option('--fee-bps <bps>', 'fee of every fill instead of the fee schedule', numberArgument())
    .option('--slippage-bps <bps>', 'slippage of every taker fill', numberArgument())
    .option('--seed <text>', 'seed of everything random', '1')
    .option(
      '--answers <file>',
      'recorded answers to remote sources: JSON lines of topic, prompt, answer, delayMs',
    );
}

/** What the options ask for. Throws {@link ExitError} when the span is empty. */
export function recordingOf({ bars, funding, tape, store, from, to, ...rest }: RecordingOptions) {
  if (from !== undefined && to !== undefined && to <= from) {
    throw new ExitError(
      EXIT.usage,
      '--to is not after --from',
      'bars from --from on and before --to are taken',
    );
  }
  return {
    bars: bars ?? [],
    funding: funding ?? [],
    tapes: tape ?? [],
    store: store ?? null,
    from: from ?? null,
    to: to ?? null,
    cash: rest.cash ?? null,
    feeBps: rest.feeBps ?? null,
    slippageBps: rest.slippageBps ?? null,
    seed: rest.seed,
    answers: rest.answers ?? null,
  } satisfies Partial<BacktestRequest>;
}
