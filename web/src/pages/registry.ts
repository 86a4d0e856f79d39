import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import type { IconName } from '../ui/icon.tsx';

export interface PageEntry {
  readonly path: string;
  /** Pattern of the router; the path itself and what lies below it. */
  readonly pattern: string;
  readonly title: string;
  readonly icon: IconName;
  readonly group: 'Trade' | 'Understand' | 'House';
  /** Pressed after `g`. */
  readonly key: string;
  readonly says: string;
  /** On the bar of a phone. */
  readonly first?: boolean;
  readonly administrator?: boolean;
  readonly Page: LazyExoticComponent<ComponentType>;
  readonly load: () => Promise<unknown>;
}

type Loader = () => Promise<{ readonly default: ComponentType }>;

function entry(of: Omit<PageEntry, 'Page' | 'pattern' | 'load'>, load: Loader): PageEntry {
  return { ...of, load, pattern: of.path === '/' ? '/' : `${of.path}/*?`, Page: lazy(load) };
}

/** Every page of the console; each is loaded when it is opened. */
export const PAGES: readonly PageEntry[] = [
  entry(
    {
      path: '/',
      title: 'Overview',
      icon: 'overview',
      group: 'Trade',
      key: 'o',
      says: 'equity, today, what happened',
      first: true,
    },
    () => import('./overview/index.tsx'),
  ),
  entry(
    {
      path: '/market',
      title: 'Market',
      icon: 'market',
      group: 'Trade',
      key: 'm',
      says: 'candles, indicators, order book',
      first: true,
    },
    () => import('./market/index.tsx'),
  ),
  entry(
    {
      path: '/positions',
      title: 'Positions and orders',
      icon: 'positions',
      group: 'Trade',
      key: 'p',
      says: 'what is held, asked and filled',
      first: true,
    },
    () => import('./positions/index.tsx'),
  ),
  entry(
    {
      path: '/risk',
      title: 'Risk',
      icon: 'risk',
      group: 'Trade',
      key: 'r',
      says: 'limits, correlation, breaker',
      first: true,
    },
    () => import('./risk/index.tsx'),
  ),
  entry(
    {
      path: '/matrix',
      title: 'Matrix',
      icon: 'matrix',
      group: 'Trade',
      key: 'x',
      says: 'every config by symbol and timeframe',
    },
    () => import('./matrix/index.tsx'),
  ),
  entry(
    {
      path: '/decisions',
      title: 'Decisions',
      icon: 'decisions',
      group: 'Understand',
      key: 'd',
      says: 'every idea and where it was cut',
      first: true,
    },
    () => import('./decisions/index.tsx'),
  ),
  entry(
    {
      path: '/sources',
      title: 'Sources',
      icon: 'sources',
      group: 'Understand',
      key: 's',
      says: 'scorecards and worth',
    },
    () => import('./sources/index.tsx'),
  ),
  entry(
    {
      path: '/research',
      title: 'Research',
      icon: 'research',
      group: 'Understand',
      key: 'e',
      says: 'runs, sweeps, reports, backtests',
    },
    () => import('./research/index.tsx'),
  ),
  entry(
    {
      path: '/journal',
      title: 'Journal',
      icon: 'journal',
      group: 'Understand',
      key: 'j',
      says: 'search, verify, replay',
    },
    () => import('./journal/index.tsx'),
  ),
  entry(
    {
      path: '/desks',
      title: 'Desks',
      icon: 'desks',
      group: 'House',
      key: 'k',
      says: 'configuration, start, stop',
    },
    () => import('./desks/index.tsx'),
  ),
  entry(
    {
      path: '/alerts',
      title: 'Alerts',
      icon: 'alerts',
      group: 'House',
      key: 'a',
      says: 'alerts, rules, deliveries',
    },
    () => import('./alerts/index.tsx'),
  ),
  entry(
    {
      path: '/users',
      title: 'Users',
      icon: 'users',
      group: 'House',
      key: 'u',
      says: 'who may do what',
      administrator: true,
    },
    () => import('./users/index.tsx'),
  ),
  entry(
    {
      path: '/settings',
      title: 'Settings',
      icon: 'settings',
      group: 'House',
      key: 't',
      says: 'password, second factor, tokens, theme',
    },
    () => import('./settings/index.tsx'),
  ),
  entry(
    {
      path: '/system',
      title: 'System',
      icon: 'system',
      group: 'House',
      key: 'y',
      says: 'feeds, latency, queues, logs',
    },
    () => import('./system/index.tsx'),
  ),
];
