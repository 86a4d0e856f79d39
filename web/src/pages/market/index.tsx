import { useSearchParams } from 'wouter';
import { useAsk } from '../../api/queries.ts';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { ChartPanel } from './chart-panel.tsx';
import { InstrumentDecisions } from './instrument-decisions.tsx';
import { InstrumentList } from './instrument-list.tsx';
import { OrderBook } from './order-book.tsx';

const EVERY_MS = 5_000;

export default function MarketPage() {
  const instruments = useAsk('instruments', {}, { every: EVERY_MS });
  const [search, setSearch] = useSearchParams();
  const wanted = search.get('instrument');
  return (
    <>
      <PageHead
        title="Market"
        says="Candles, indicators, fills, stops and targets, regimes, and the order book."
      />
      <Loaded of={instruments} what="Reading instruments">
        {({ items }) => {
          const chosen = items.find((item) => item.id === wanted) ?? items[0];
          if (chosen === undefined)
            return (
              <Empty title="No instrument is traded here" icon="market">
                Start a portfolio with a desk that names instruments: <code>quorum start</code>, or{' '}
                <code>quorum start --demo</code> for prices that come with the program.
              </Empty>
            );
          return (
            <div className="grid gap-3 lg:grid-cols-[13rem_minmax(0,1fr)] 2xl:grid-cols-[14rem_minmax(0,1fr)_19rem]">
              <Panel title="Instruments" flush className="self-start">
                <InstrumentList
                  items={items}
                  chosen={chosen.id}
                  onChoose={(id) => setSearch((old) => ({ ...Object.fromEntries(old), instrument: id }))}
                />
              </Panel>
              <ChartPanel key={chosen.id} instrument={chosen} />
              <div className="grid content-start gap-3 lg:col-span-2 xl:grid-cols-[19rem_minmax(0,1fr)] 2xl:contents">
                <OrderBook instrument={chosen} />
                <div className="2xl:col-span-3">
                  <InstrumentDecisions instrument={chosen.id} />
                </div>
              </div>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
