import { portfolio, useAsk, usePortfolio } from '../api/queries.ts';
import { logOut, useMe } from '../api/session.ts';
import { Badge, BreakerBadge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { GainShare } from '../ui/figure.tsx';
import { localTime, money, utcDate, utcTime, zoneName } from '../ui/format.ts';
import { useNow } from '../ui/time.tsx';
import { help, palette, toggleTheme } from './shortcuts.ts';
import { useStanding } from './standing.ts';
import { StopButton } from './stop.tsx';

const MODES: Record<string, { readonly tone: Tone; readonly says: string }> = {
  PAPER: { tone: 'gain', says: 'Real prices, no real money' },
  REPLAY: { tone: 'plain', says: 'Recorded prices: what happens here is no evidence' },
  SYNTHETIC: { tone: 'warn', says: 'Made-up prices: what happens here is no evidence' },
};

/** What is on every page: which portfolio, how it stands, and how to stop it. */
export function Header() {
  return (
    <header className="sticky top-0 z-30 grid grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1.5 border-b border-line bg-surface px-3 py-1.5 md:flex md:flex-wrap">
      <PortfolioPicker />
      <Badges />
      <Figures />
      <div className="flex items-center gap-1">
        <div className="hidden items-center gap-0.5 sm:flex">
          <Tool icon="search" label="Commands" title="Commands (Ctrl K)" act={() => palette.set(true)} />
          <Tool icon="keyboard" label="Keyboard help" title="Keyboard help (?)" act={() => help.set(true)} />
          <Tool icon="moon" label="Dark or light" title="Dark or light (Shift D)" act={toggleTheme} />
          <Leave />
        </div>
        <StopButton />
      </div>
    </header>
  );
}

interface ToolProps {
  readonly icon: 'search' | 'keyboard' | 'moon' | 'logout';
  readonly label: string;
  readonly title: string;
  readonly act: () => void;
}

function Tool({ icon, label, title, act }: ToolProps) {
  return <Button look="quiet" icon={icon} aria-label={label} title={title} className="px-2" onClick={act} />;
}

function Leave() {
  const { name, role } = useMe();
  const act = () => void logOut().catch(() => undefined);
  return <Tool icon="logout" label={`Log out ${name}`} title={`${name} (${role}): log out`} act={act} />;
}

function Badges() {
  const { portfolio: item, breaker, entries } = useStanding();
  const mode = item?.mode ?? null;
  return (
    <div className="flex flex-wrap items-center gap-1.5 max-md:gap-1" aria-live="polite">
      {mode !== null && (
        <Badge tone={MODES[mode]?.tone ?? 'plain'} title={MODES[mode]?.says}>
          {mode}
        </Badge>
      )}
      <BreakerBadge state={breaker} />
      {item !== null && !item.running && (
        <Badge
          tone="danger"
          icon="warning"
          title="No loop answers for this portfolio: start it with quorum start"
        >
          NOT RUNNING
        </Badge>
      )}
      {item?.running === true && !entries && (
        <Badge tone="warn" icon="pause" title="No new positions are opened">
          ENTRIES STOPPED
        </Badge>
      )}
    </div>
  );
}

function Figures() {
  const { equity, dayChange, currency } = useStanding();
  return (
    <dl className="flex items-baseline gap-x-3 whitespace-nowrap max-md:order-last max-md:col-span-3 md:ml-auto">
      <div className="flex items-baseline gap-1.5">
        <dt className="text-xs text-muted md:max-lg:sr-only">Equity</dt>
        <dd className="text-sm font-semibold" data-testid="equity">
          {money(equity, currency)}
        </dd>
      </div>
      <div className="flex items-baseline gap-1.5">
        <dt className="text-xs text-muted md:max-lg:sr-only">Today</dt>
        <dd className="text-sm font-semibold">
          <GainShare value={dayChange} />
        </dd>
      </div>
      <Clock />
    </dl>
  );
}

function PortfolioPicker() {
  const chosen = usePortfolio();
  const { data } = useAsk('portfolios', {}, { every: 15_000 });
  const items = data?.items ?? [];
  return (
    <div>
      <label htmlFor="portfolio" className="sr-only">
        Portfolio
      </label>
      <select
        id="portfolio"
        value={chosen ?? ''}
        onChange={(event) => portfolio.set(event.target.value)}
        className="min-h-9 max-w-26 truncate rounded md:max-w-44 border border-line-strong bg-bg px-2 text-sm font-semibold text-ink"
      >
        {chosen === null && <option value="">No portfolio</option>}
        {items.map((item) => (
          <option key={item.name} value={item.name}>
            {item.name}
            {item.running ? '' : ' (not running)'}
          </option>
        ))}
      </select>
    </div>
  );
}

function Clock() {
  const now = useNow();
  return (
    <div
      className="flex items-baseline gap-1.5 max-md:ml-auto"
      title={`${utcDate(now)} ${utcTime(now)} UTC\n${localTime(now)} ${zoneName()}`}
    >
      <dt className="sr-only">Time</dt>
      <dd className="flex items-baseline gap-2 text-xs">
        <span className="font-medium text-ink">
          {utcTime(now)} <span className="text-muted">UTC</span>
        </span>
        <span className="hidden text-muted xl:inline">{localTime(now)} local</span>
      </dd>
    </div>
  );
}
