import { type Command, InvalidArgumentError } from 'commander';
import { parseInstant, parseInterval } from '#base';

/** Reads a whole number between two bounds. */
export const wholeArgument =
  (min: number, max: number) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return Number(text);
  };

/** Reads a number from 0 up to a bound. */
export const numberArgument =
  (max = Infinity) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > max) {
      throw new InvalidArgumentError(`Give a number${max < Infinity ? ` from 0 to ${max}` : ', 0 or more'}.`);
    }
    return value;
  };

export const instantArgument = (text: string): number => {
  const at = parseInstant(text);
  if (at === null)
    throw new InvalidArgumentError('Give epoch milliseconds, 2023-07-04 or 2023-07-04T12:00Z.');
  return at;
};

/** Reads a span of time in milliseconds. */
export const durationArgument = (text: string): number => {
  const ms = parseInterval(text);
  if (ms === null) throw new InvalidArgumentError('Give a span of time such as 90d, 12h or 2w.');
  return ms;
};

export const collect = (value: string, before: string[]): string[] => [...before, value];

/** Options of a command about portfolios that run. */
export interface RunningOptions {
  readonly portfolio?: string;
  readonly dataDir: string;
  readonly json: boolean;
}

/** Adds the options of {@link RunningOptions}; `which` says what leaving out --portfolio means. */
export function withRunningOptions(command: Command, which: string): Command {
  return command
    .option('--portfolio <name>', which)
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--json', 'one JSON object on stdout', false);
}
