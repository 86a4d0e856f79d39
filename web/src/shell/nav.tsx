import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { logOut, useMay, useMe } from '../api/session.ts';
import { PAGES, type PageEntry } from '../pages/registry.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { toggleTheme } from './shortcuts.ts';

const GROUPS = ['Trade', 'Understand', 'House'] as const;

export function isOpen(page: PageEntry, location: string): boolean {
  return page.path === '/'
    ? location === '/'
    : location === page.path || location.startsWith(`${page.path}/`);
}

function useShown(): readonly PageEntry[] {
  const administrator = useMay('administrator');
  return PAGES.filter((page) => page.administrator !== true || administrator);
}

/** The navigation at the left; icons alone on a narrow screen. */
export function SideNav() {
  const [location] = useLocation();
  const shown = useShown();
  return (
    <nav
      aria-label="Pages"
      className="thin-scroll sticky top-0 hidden h-dvh w-13 shrink-0 flex-col gap-3 overflow-y-auto border-r border-line bg-surface py-2 md:flex xl:w-54"
    >
      <Link
        href="/"
        aria-label="Quorum, overview"
        className="flex h-9 items-center gap-2 px-3.5 font-semibold text-ink xl:px-4"
      >
        <Mark />
        <span className="hidden text-base tracking-tight xl:inline">Quorum</span>
      </Link>
      {GROUPS.map((group) => (
        <div key={group} className="px-1.5">
          <p className="hidden px-2.5 pb-1 text-2xs font-medium tracking-wider text-muted uppercase xl:block">
            {group}
          </p>
          <ul className="flex flex-col gap-px">
            {shown
              .filter((page) => page.group === group)
              .map((page) => (
                <li key={page.path}>
                  <NavLink page={page} open={isOpen(page, location)} />
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function NavLink({ page, open }: { readonly page: PageEntry; readonly open: boolean }) {
  return (
    <Link
      href={page.path}
      aria-current={open ? 'page' : undefined}
      title={`${page.title} (g ${page.key})`}
      onMouseEnter={() => void page.load()}
      className={`flex min-h-8.5 items-center gap-2.5 rounded px-2.5 text-sm ${open ? 'bg-hover font-medium text-ink shadow-[inset_2px_0_0_var(--ink)]' : 'text-soft hover:bg-hover hover:text-ink'}`}
    >
      <Icon name={page.icon} />
      <span className="sr-only xl:not-sr-only">{page.title}</span>
    </Link>
  );
}

/** The bar at the foot of a phone: the five first pages, and the rest behind one more. */
export function BottomNav() {
  const [location] = useLocation();
  const [more, setMore] = useState(false);
  const shown = useShown();
  const first = shown.filter((page) => page.first === true);
  const rest = shown.filter((page) => page.first !== true);
  const hidden = rest.some((page) => isOpen(page, location));
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-6 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {first.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          aria-current={isOpen(page, location) ? 'page' : undefined}
          className={`flex min-h-14 flex-col items-center justify-center gap-0.5 text-2xs ${isOpen(page, location) ? 'font-semibold text-ink shadow-[inset_0_2px_0_var(--ink)]' : 'text-muted'}`}
        >
          <Icon name={page.icon} size={18} />
          {page.title.split(' ')[0]}
        </Link>
      ))}
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => setMore(true)}
        className={`flex min-h-14 flex-col items-center justify-center gap-0.5 text-2xs ${hidden ? 'font-semibold text-ink shadow-[inset_0_2px_0_var(--ink)]' : 'text-muted'}`}
      >
        <Icon name="menu" size={18} />
        More
      </button>
      {more && <MorePages pages={rest} close={() => setMore(false)} />}
    </nav>
  );
}

function MorePages({ pages, close }: { readonly pages: readonly PageEntry[]; readonly close: () => void }) {
  const { name, role } = useMe();
  return (
    <Dialog title="More" onClose={close}>
      <ul className="grid grid-cols-2 gap-2">
        {pages.map((page) => (
          <li key={page.path}>
            <Link
              href={page.path}
              onClick={close}
              className="flex min-h-12 items-center gap-2.5 rounded border border-line bg-raised px-3 text-sm font-medium"
            >
              <Icon name={page.icon} />
              {page.title}
            </Link>
          </li>
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap items-center gap-2 border-t border-line pt-3">
        <span className="text-xs text-muted">
          {name}, {role}
        </span>
        <Button icon="moon" className="ml-auto" onClick={toggleTheme}>
          Dark or light
        </Button>
        <Button icon="logout" onClick={() => void logOut().catch(() => undefined)}>
          Log out
        </Button>
      </div>
    </Dialog>
  );
}

function Mark() {
  return (
    <svg aria-hidden="true" width="22" height="22" viewBox="0 0 32 32" className="shrink-0">
      <path
        fill="currentColor"
        d="M16 4a12 12 0 1 0 7.4 21.4l3.3 3.3 2.3-2.3-3.3-3.3A12 12 0 0 0 16 4Zm0 3.6a8.4 8.4 0 1 1 0 16.8 8.4 8.4 0 0 1 0-16.8Z"
      />
      <circle cx="16" cy="16" r="3" className="fill-gain" />
    </svg>
  );
}
