import { isPlain, type Plain } from '../../forms/json-schema.ts';
import { ratio } from '../../ui/format.ts';
import { Metric, Metrics } from '../../ui/panel.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { figureText } from './figures.ts';

interface Fold {
  readonly window: number;
  readonly train: { readonly from: number; readonly to: number };
  readonly test: { readonly from: number; readonly to: number };
  readonly parameters: Plain;
  readonly inSample: Plain;
  readonly outOfSample: Plain;
}

const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** The folds of a walk-forward's result; empty when it is none. */
export function foldsOf(result: Plain): Fold[] {
  const windows = Array.isArray(result.windows) ? result.windows : [];
  return windows.filter(
    (each) =>
      isPlain(each) &&
      isPlain(each.train) &&
      isPlain(each.test) &&
      isPlain(each.inSample) &&
      isPlain(each.outOfSample),
  ) as unknown as Fold[];
}

/** Where it was trained, where it was tested, and what came of each. */
export function Folds({ result }: { readonly result: Plain }) {
  const folds = foldsOf(result);
  const objective = typeof result.objective === 'string' ? result.objective : 'objective';
  return (
    <div className="flex flex-col gap-3">
      <Metrics>
        <Metric name="Return of the tests" value={figureText('return', number(result.return))} />
        <Metric name="Sharpe of the tests" value={ratio(number(result.sharpe))} />
        <Metric name="Deepest drawdown" value={figureText('maxDrawdown', number(result.maxDrawdown))} />
        <Metric
          name="Efficiency"
          value={ratio(number(result.efficiency))}
          title="Yearly return of the tests over that of the trainings; near 1 is honest, near 0 is overfitting"
        />
      </Metrics>
      <Gantt folds={folds} />
      <Table<Fold>
        label="Folds of the walk-forward"
        rows={folds}
        keyOf={(fold) => String(fold.window)}
        empty={<p className="p-3 text-xs text-muted">No fold was finished.</p>}
        columns={[
          { head: 'Fold', cell: (fold) => fold.window + 1 },
          { head: 'Test from (UTC)', cell: (fold) => <Time at={fold.test.from} show="date" /> },
          { head: 'to', from: 'sm', cell: (fold) => <Time at={fold.test.to} show="date" /> },
          {
            head: 'Parameters',
            cell: (fold) => (
              <span className="font-mono text-xs">
                {Object.entries(fold.parameters)
                  .map(([name, value]) => `${name}=${String(value)}`)
                  .join(' ')}
              </span>
            ),
          },
          {
            head: `Trained ${objective}`,
            right: true,
            cell: (fold) => figureText(objective, number(fold.inSample.value)),
          },
          {
            head: `Tested ${objective}`,
            right: true,
            cell: (fold) => figureText(objective, number(fold.outOfSample[objective])),
          },
          {
            head: 'Tested return',
            right: true,
            cell: (fold) => figureText('return', number(fold.outOfSample.return)),
          },
          {
            head: 'Drawdown',
            right: true,
            from: 'md',
            cell: (fold) => figureText('maxDrawdown', number(fold.outOfSample.maxDrawdown)),
          },
          {
            head: 'Trades',
            right: true,
            from: 'md',
            cell: (fold) => figureText('trades', number(fold.outOfSample.trades)),
          },
        ]}
      />
    </div>
  );
}

const ROW = 16;

function Gantt({ folds }: { readonly folds: readonly Fold[] }) {
  if (folds.length === 0) return null;
  const first = Math.min(...folds.map((fold) => fold.train.from));
  const last = Math.max(...folds.map((fold) => fold.test.to));
  const x = (at: number) => ((at - first) / (last - first || 1)) * 100;
  return (
    <figure>
      <svg
        role="img"
        aria-label="Stretches of training and testing, one row a fold; the table below has them in figures"
        viewBox={`0 0 100 ${folds.length * ROW}`}
        preserveAspectRatio="none"
        className="w-full"
        style={{ height: folds.length * ROW }}
      >
        {folds.map((fold, i) => {
          const gained = (number(fold.outOfSample.return) ?? 0) >= 0;
          return (
            <g key={fold.window}>
              <rect
                x={x(fold.train.from)}
                y={i * ROW + 5}
                width={x(fold.train.to) - x(fold.train.from)}
                height={ROW - 10}
                className="fill-line-strong"
              />
              <rect
                x={x(fold.test.from)}
                y={i * ROW + 2}
                width={x(fold.test.to) - x(fold.test.from)}
                height={ROW - 4}
                className={gained ? 'fill-gain' : 'fill-loss'}
              />
            </g>
          );
        })}
      </svg>
      <figcaption className="mt-1 text-xs text-muted">
        Thin grey: trained. Thick: tested, blue where the test gained and orange where it lost.
      </figcaption>
    </figure>
  );
}
