import { useRoute } from 'wouter';
import { ConfigDetail } from './detail.tsx';
import { MatrixOverview } from './overview.tsx';

/** All configs by symbol and timeframe, or one of them in full. */
export default function MatrixPage() {
  const [one, params] = useRoute('/matrix/:desk');
  return one ? <ConfigDetail key={params.desk} desk={decodeURIComponent(params.desk)} /> : <MatrixOverview />;
}
