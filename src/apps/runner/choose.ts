import { InputError } from '#base';
import { nearest } from '#features';
import type { Configuration, FeedConfiguration, PortfolioConfiguration } from '../setup/configuration.ts';
import { DEFAULT_ACCOUNT, feedOf } from '../setup/configuration.ts';
import type { PortfolioRequest } from './portfolio-setup.ts';

function ownPortfolio(name: string, base: string, desk: string, feed: FeedConfiguration): PortfolioRequest {
  const portfolio: PortfolioConfiguration = {
    base,
    desks: [{ desk, configuration: 'default', parameters: {} }],
    account: 'paper',
    feed: feed.kind,
    seed: '1',
    running: true,
  };
  return { name, portfolio, account: DEFAULT_ACCOUNT, feed };
}

/** The sample desk on the recorded days that come with the program. */
export const samplePortfolio = (): PortfolioRequest =>
  ownPortfolio('sample', 'USD', 'sample', { kind: 'sample' });

/** Sigma on made-up prices. */
export const demoPortfolio = (seed = '1'): PortfolioRequest =>
  ownPortfolio('demo', 'USDT', 'sigma', { kind: 'synthetic', seed });

/** Sigma on the live public feed: what runs when nobody says otherwise. */
export const sigmaPortfolio = (): PortfolioRequest =>
  ownPortfolio('sigma', 'USDT', 'sigma', { kind: 'binance-usdm' });

/** A portfolio that needs no configuration; `seed` is that of made-up prices. Throws {@link InputError}. */
export function builtIn(named: string, seed?: string): PortfolioRequest {
  switch (named) {
    case 'sigma':
      return sigmaPortfolio();
    case 'sample':
      return samplePortfolio();
    case 'demo':
      return demoPortfolio(seed);
    default:
      throw new InputError(
        `there is no portfolio "${named}"`,
        'built in are sigma, sample, demo; others stand in quorum.config.json',
      );
  }
}

/** The portfolio of a configuration that was named, or its default. Throws {@link InputError} for an unknown name. */
export function portfolioOf(configuration: Configuration, named: string | null): PortfolioRequest {
  const names = Object.keys(configuration.portfolios);
  const name = named ?? configuration.default ?? names[0]!;
  if (!names.includes(name)) {
    throw new InputError(
      `there is no portfolio "${name}"`,
      `the nearest known one is "${nearest(name, names)}"; all: ${names.join(', ')}`,
    );
  }
  const portfolio = configuration.portfolios[name]!;
  const account = configuration.accounts[portfolio.account] ?? DEFAULT_ACCOUNT;
  return { name, portfolio, account, feed: feedOf(configuration, portfolio.feed) };
}
