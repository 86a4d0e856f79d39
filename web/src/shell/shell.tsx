import { Suspense, useEffect } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { feedQueries } from '../api/feeding.ts';
import { live } from '../api/live.ts';
import { portfolio, refresh, useAsk, usePortfolio } from '../api/queries.ts';
import ChatButton from '../chat/chat-button.tsx';
import { PAGES } from '../pages/registry.ts';
import { Acting } from '../ui/act.tsx';
import { Empty, Failed, Loading } from '../ui/state.tsx';
import { Banner } from './banner.tsx';
import { Crash } from './crash.tsx';
import { Header } from './header.tsx';
import { HelpDialog } from './help.tsx';
import { BottomNav, isOpen, SideNav } from './nav.tsx';
import { Palette } from './palette.tsx';
import { useShortcuts } from './shortcuts.ts';
import { StopDialog } from './stop.tsx';

/** The frame around every page: navigation, header, stop, live feed. */
export function Shell() {
  const [location, go] = useLocation();
  useShortcuts(go);
  useLiveFeed();
  useEffect(() => {
    const page = PAGES.find((each) => isOpen(each, location));
    document.title = `${page?.title ?? 'Not found'} · Quorum`;
  }, [location]);
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="sr-only z-50 rounded bg-button px-3 py-2 text-button-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <SideNav />
      <div className="flex min-w-0 flex-1 flex-col">
        <Header />
        <Banner />
        <main
          id="main"
          tabIndex={-1}
          className="min-w-0 flex-1 p-3 pb-34 outline-none md:pb-20 lg:px-4 lg:pt-4"
        >
          <Crash key={location}>
            <Suspense fallback={<Loading />}>
              <Ready>
                <Pages />
              </Ready>
            </Suspense>
          </Crash>
        </main>
      </div>
      <BottomNav />
      <Suspense fallback={null}>
        <ChatButton />
      </Suspense>
      <Palette go={go} />
      <HelpDialog />
      <StopDialog />
      <Acting />
    </div>
  );
}

function Pages() {
  return (
    <Switch>
      {PAGES.map(({ path, pattern, Page }) => (
        <Route key={path} path={pattern}>
          <Page />
        </Route>
      ))}
      <Route>
        <Empty title="There is no such page" icon="search">
          Choose one at the left, or press Ctrl K.
        </Empty>
      </Route>
    </Switch>
  );
}

/** Chooses a portfolio before the first page asks about one. */
function Ready({ children }: { readonly children: React.ReactNode }) {
  const chosen = usePortfolio();
  const { data, error, refetch } = useAsk('portfolios', {}, { every: 15_000 });
  const names = data?.items.map((item) => item.name) ?? null;
  const known = chosen !== null && (names === null || names.includes(chosen));
  useEffect(() => {
    if (data === undefined || known) return;
    const best = data.items.find((item) => item.running) ?? data.items[0];
    portfolio.set(best?.name ?? null);
  }, [data, known]);
  if (data === undefined)
    return error === null ? <Loading /> : <Failed error={error} again={() => void refetch()} />;
  return children;
}

function useLiveFeed(): void {
  const name = usePortfolio();
  useEffect(() => feedQueries(), []);
  useEffect(() => {
    if (name === null) live.close();
    else live.open(name);
  }, [name]);
  useEffect(() => {
    const back = () => {
      live.hurry();
      refresh('portfolios');
    };
    const gone = () => live.suspect();
    window.addEventListener('online', back);
    window.addEventListener('offline', gone);
    return () => {
      window.removeEventListener('online', back);
      window.removeEventListener('offline', gone);
    };
  }, []);
}
