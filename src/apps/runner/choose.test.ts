import { describe, expect, it } from 'vitest';
import { checkConfiguration } from '../setup/configuration.ts';
import { builtIn, portfolioOf } from './choose.ts';

describe('builtIn', () => {
  it('gives made-up prices the seed asked for', () => {
    expect(builtIn('demo', '7').feed).toEqual({ kind: 'synthetic', seed: '7' });
    expect(builtIn('sample', '7').feed).toEqual({ kind: 'sample' });
  });

  it.each(['main', 'constructor'])('knows no portfolio %s', (name) => {
    expect(() => builtIn(name)).toThrow(`there is no portfolio "${name}"`);
    const configuration = checkConfiguration({ portfolios: { own: { desks: [{ desk: 'sigma' }] } } }, 'f');
    expect(() => portfolioOf(configuration, name)).toThrow(`there is no portfolio "${name}"`);
  });
});
