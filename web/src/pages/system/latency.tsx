import { decimal, words } from '../../ui/format.ts';
import type { SystemAnswer } from './standing.tsx';

type Stage = SystemAnswer['latency'][number];

/** Microseconds in the unit that reads best. */
export function micros(value: number | null): string {
  if (value === null) return '–';
  if (value < 1_000) return `${decimal(value, value < 10 ? 1 : 0)} µs`;
  if (value < 1_000_000) return `${decimal(value / 1_000, value < 10_000 ? 2 : 1)} ms`;
  return `${decimal(value / 1_000_000, 2)} s`;
}

const FLOOR_US = 1;

/** Each stage as a bar from its median to its slowest on a scale of powers of ten, with the figures beside. */
export function Latency({ stages }: { readonly stages: readonly Stage[] }) {
  const known = stages.filter((stage) => stage.n > 0);
  if (known.length === 0)
    return (
      <p className="text-xs text-muted">
        Nothing was measured yet: the loop does not answer, or has taken no step.
      </p>
    );
  const most = Math.max(10, ...known.map((stage) => stage.maxUs ?? 0));
  const x = (value: number | null) =>
    (Math.log10(Math.max(FLOOR_US, value ?? FLOOR_US) / FLOOR_US) / Math.log10(most / FLOOR_US)) * 100;
  return (
    <div className="thin-scroll overflow-x-auto">
      <table className="w-full text-sm">
        <caption className="sr-only">Latency by stage</caption>
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="py-1 pr-3 text-left font-medium">
              Stage
            </th>
            <th scope="col" className="hidden w-2/5 py-1 pr-3 text-left font-medium md:table-cell">
              1 µs to {micros(most)}
            </th>
            {['Half', '99 %', 'Slowest', 'Times'].map((head) => (
              <th key={head} scope="col" className="py-1 pl-3 text-right font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {known.map((stage) => (
            <tr key={stage.stage} className="border-t border-line">
              <th scope="row" className="py-1 pr-3 text-left font-medium whitespace-nowrap">
                {words(stage.stage)}
              </th>
              <td className="hidden pr-3 md:table-cell">
                <svg
                  aria-hidden="true"
                  className="block h-4 w-full"
                  viewBox="0 0 100 16"
                  preserveAspectRatio="none"
                >
                  <rect x="0" y="6" width={x(stage.maxUs)} height="4" className="fill-raised" />
                  <rect x="0" y="4" width={x(stage.p99us)} height="8" className="fill-gain-soft" />
                  <rect x="0" y="4" width={x(stage.p50us)} height="8" className="fill-gain" />
                </svg>
              </td>
              <td className="pl-3 text-right whitespace-nowrap">{micros(stage.p50us)}</td>
              <td className="pl-3 text-right whitespace-nowrap">{micros(stage.p99us)}</td>
              <td className="pl-3 text-right whitespace-nowrap">{micros(stage.maxUs)}</td>
              <td className="pl-3 text-right whitespace-nowrap">{decimal(stage.n, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
