import { useRoute } from 'wouter';
import { DecisionDetail } from './detail.tsx';
import { Stream } from './stream.tsx';

/** The stream of ideas, or one of them in full. */
export default function DecisionsPage() {
  const [one, params] = useRoute('/decisions/:id');
  return one ? <DecisionDetail key={params.id} id={decodeURIComponent(params.id)} /> : <Stream />;
}
