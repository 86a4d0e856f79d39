import { expect, it } from 'vitest';
import { featureDefinitions } from './registry.ts';
import { volumeReach } from './volume-reach.ts';

const textOf = ({ name, parameters }: (typeof featureDefinitions)[number]) =>
  [name, ...parameters.map((one) => one.default)].join(':');

it('is the memory of what looks at the volume', () => {
  expect(volumeReach([], 250)).toBe(0);
  expect(volumeReach(['rsi:14', 'candle', 'bbands:20:2', 'macd_rate:12:26:9'], 250)).toBe(0);
  expect(volumeReach(['rsi:14', 'volume_ratio:20'], 250)).toBe(20);
  expect(volumeReach(['volume_ratio:20', 'mfi:30'], 250)).toBe(31);
  // a sum without an end
  expect(volumeReach(['obv'], 250)).toBe(250);
});

it('knows every built-in feature that looks at the volume', () => {
  const looks = featureDefinitions.filter((one) => volumeReach([textOf(one)], 7) > 0).map(({ name }) => name);
  expect(looks).toEqual(
    featureDefinitions.map(({ name }) => name).filter((name) => /volume|obv|vwap|mfi/.test(name)),
  );
});
