import type { ResponseOf } from '@contract';
import { percent } from '../../ui/format.ts';

export type SourceCard = ResponseOf<'sources'>['items'][number];

const SIZE = 260;
const PAD = 34;
const SIDE = SIZE - PAD - 10;
const x = (share: number) => PAD + share * SIDE;
const y = (share: number) => 10 + (1 - share) * SIDE;

/**
 * Stated against observed probability: on the diagonal a source means what it says; below it claims too much. The area
 * of a dot goes with the number of its forecasts, and the table says the same.
 */
export function Reliability({ card }: { readonly card: SourceCard }) {
  const most = Math.max(1, ...card.reliability.map((bin) => bin.n));
  return (
    <div className="flex flex-wrap items-start gap-4">
      <svg
        role="img"
        aria-label={`Reliability of ${card.source}: stated against observed probability; the figures are in the table beside`}
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        className="w-full max-w-72 shrink-0"
      >
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <path
              d={`M${x(0)} ${y(share)}h${SIDE}M${x(share)} ${y(1)}v${SIDE}`}
              className="stroke-line"
              fill="none"
            />
            <text x={PAD - 5} y={y(share) + 3.5} textAnchor="end" className="fill-muted text-2xs">
              {share * 100}
            </text>
            <text x={x(share)} y={SIZE - 12} textAnchor="middle" className="fill-muted text-2xs">
              {share * 100}
            </text>
          </g>
        ))}
        <text x={x(0.5)} y={SIZE - 1} textAnchor="middle" className="fill-muted text-2xs">
          stated, %
        </text>
        <text
          transform={`translate(9 ${y(0.5)}) rotate(-90)`}
          textAnchor="middle"
          className="fill-muted text-2xs"
        >
          observed, %
        </text>
        <path d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} className="stroke-line-strong" strokeDasharray="4 4" />
        <path
          d={card.reliability
            .map((bin, i) => `${i === 0 ? 'M' : 'L'}${x(bin.stated)} ${y(bin.observed)}`)
            .join('')}
          fill="none"
          className="stroke-gain"
          strokeWidth="1.5"
        />
        {card.reliability.map((bin) => (
          <circle
            key={bin.stated}
            cx={x(bin.stated)}
            cy={y(bin.observed)}
            r={3 + 6 * Math.sqrt(bin.n / most)}
            className="fill-gain-soft stroke-gain"
            strokeWidth="1.5"
          />
        ))}
      </svg>
      <table className="text-sm">
        <caption className="mb-1 text-left text-xs text-muted">Forecasts by stated probability</caption>
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="pr-4 text-right font-medium">
              Stated
            </th>
            <th scope="col" className="pr-4 text-right font-medium">
              Observed
            </th>
            <th scope="col" className="text-right font-medium">
              Forecasts
            </th>
          </tr>
        </thead>
        <tbody>
          {card.reliability.map((bin) => (
            <tr key={bin.stated}>
              <td className="pr-4 text-right">{percent(bin.stated, 0)}</td>
              <td className="pr-4 text-right">{percent(bin.observed, 0)}</td>
              <td className="text-right">{bin.n}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
