import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { sessionEnded } from './api/client.ts';
import { asRefused, type Refused } from './api/errors.ts';
import { queries } from './api/queries.ts';
import { leave, lookForSession, me } from './api/session.ts';
import { useStore } from './api/store.ts';
import { Shell } from './shell/shell.tsx';
import { Failed, Loading } from './ui/state.tsx';
import { Toasts } from './ui/toast.tsx';

const LogIn = lazy(() => import('./pages/log-in/index.tsx'));

/** Log in, then the console. */
export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Suspense fallback={<Loading />}>
        <Door />
      </Suspense>
      <Toasts />
    </QueryClientProvider>
  );
}

function Door() {
  const who = useStore(me);
  const [error, setError] = useState<Refused | null>(null);
  useEffect(() => sessionEnded.subscribe(leave), []);
  useEffect(() => {
    if (who === undefined && error === null) lookForSession().catch((thrown) => setError(asRefused(thrown)));
  }, [who, error]);
  if (who === undefined)
    return (
      <main className="grid min-h-dvh place-items-center">
        {error === null ? (
          <Loading what="Opening the console" />
        ) : (
          <Failed error={error} again={() => setError(null)} />
        )}
      </main>
    );
  if (who === null || who.mustChangePassword) return <LogIn />;
  return <Shell />;
}
