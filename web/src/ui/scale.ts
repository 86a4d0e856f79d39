import { utcDate, utcTime } from './format.ts';

/** Round values between two others, about `count` of them. */
export function niceSteps(low: number, high: number, count: number): number[] {
  const raw = (high - low) / Math.max(1, count);
  if (!(raw > 0)) return [];
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * size).find((s) => s >= raw) ?? raw;
  const steps: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) steps.push(Number((i * step).toPrecision(12)));
  return steps;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const STEPS = [
  1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080, 20_160, 43_200, 129_600, 259_200, 525_600, 1_051_200,
].map((minutes) => minutes * MINUTE);

/** Round instants between two others with how to write them. */
export function timeSteps(
  first: number,
  last: number,
  count: number,
): { readonly at: number; readonly text: string }[] {
  const raw = (last - first) / Math.max(1, count);
  const step = STEPS.find((each) => each >= raw) ?? STEPS.at(-1)! * Math.ceil(raw / STEPS.at(-1)!);
  const steps = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) {
    const date = utcDate(at);
    const text =
      step >= 300 * DAY
        ? date.slice(0, 4)
        : step >= 25 * DAY
          ? date.slice(0, 7)
          : step >= DAY || at % DAY === 0
            ? date.slice(5)
            : utcTime(at).slice(0, 5);
    steps.push({ at, text });
  }
  return steps;
}
