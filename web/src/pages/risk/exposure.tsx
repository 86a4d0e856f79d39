import { useGrid } from '../../api/instruments.ts';
import { SideBadge } from '../../ui/badge.tsx';
import { decimal, percent } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { Empty } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import type { Risk } from './index.tsx';

interface Props {
  readonly exposure: Risk['exposure'];
  readonly currency: string;
}

/** What is held of each instrument, as a share of equity; short to the left, long to the right. */
export function Exposure({ exposure, currency }: Props) {
  const grid = useGrid();
  const most = Math.max(...exposure.map((each) => Math.abs(each.share)), 0.01);
  return (
    <Panel title="Exposure" note="share of equity" flush>
      <Table
        label="Exposure"
        rows={exposure}
        keyOf={(e) => `${e.instrument}${e.side}`}
        empty={<Empty title="Nothing is held" />}
        columns={[
          {
            head: 'Instrument',
            cell: (e) => (
              <strong className="font-semibold" title={e.instrument}>
                {grid.name(e.instrument)}
              </strong>
            ),
          },
          { head: 'Side', cell: (e) => <SideBadge side={e.side} /> },
          {
            head: 'Short to long',
            from: 'sm',
            cell: (e) => <Bar share={signed(e)} most={most} />,
          },
          { head: 'Share', right: true, cell: (e) => percent(signed(e), 1, true) },
          { head: currency, right: true, from: 'sm', cell: (e) => decimal(e.value, 2, true) },
        ]}
      />
    </Panel>
  );
}

const signed = ({ side, share }: Risk['exposure'][number]): number =>
  side === 'short' ? -Math.abs(share) : Math.abs(share);

function Bar({ share, most }: { readonly share: number; readonly most: number }) {
  const width = (Math.abs(share) / most) * 58;
  return (
    <svg aria-hidden="true" viewBox="0 0 120 10" className="h-2.5 w-30">
      <rect
        x={share < 0 ? 60 - width : 60}
        y="1"
        width={width}
        height="8"
        className={share < 0 ? 'fill-loss' : 'fill-gain'}
      />
      <rect x="59.5" width="1" height="10" className="fill-line-strong" />
    </svg>
  );
}
