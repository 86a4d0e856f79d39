import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { featureDefinitions, parseFeature } from './registry.ts';

function refusal(text: string): InputError {
  try {
    parseFeature(text);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('parseFeature', () => {
  it('names columns by name, parameters and output', () => {
    expect(parseFeature('rsi:14').columns).toEqual(['rsi_14']);
    expect(parseFeature('macd:12:26:9').columns).toEqual([
      'macd_12_26_9',
      'macd_12_26_9_signal',
      'macd_12_26_9_hist',
    ]);
    expect(parseFeature('bbands:20:2').columns.slice(0, 3)).toEqual([
      'bbands_20_2_upper',
      'bbands_20_2_middle',
      'bbands_20_2_lower',
    ]);
    expect(parseFeature('bbands:20:2.5').columns[0]).toBe('bbands_20_2.5_upper');
    expect(parseFeature('stoch:14:3:3').columns).toEqual([
      'stoch_14_3_3_k',
      'stoch_14_3_3_d',
      'stoch_14_3_3_rawk',
    ]);
    expect(parseFeature('obv').columns).toEqual(['obv']);
  });

  it('fills in parameters left out at the end', () => {
    expect(parseFeature('macd')).toEqual(parseFeature('macd:12:26:9'));
    expect(parseFeature('bbands:10').text).toBe('bbands:10:2');
    expect(parseFeature(' RSI:14 ').text).toBe('rsi:14');
    expect(parseFeature('bbands:20:2.0').text).toBe('bbands:20:2');
  });

  it('refuses an unknown name and says the nearest', () => {
    const error = refusal('rsii:14');
    expect(error.message).toContain("unknown feature 'rsii'");
    expect(error.mend).toContain("'rsi'");
    expect(refusal('bband:20:2').mend).toContain("'bbands'");
    expect(refusal('').message).toContain('unknown');
    expect(refusal('constructor').message).toContain('unknown');
  });

  it('refuses wrong parameters and says how to write them', () => {
    expect(refusal('rsi:14:3').message).toContain('has 2 parameters');
    expect(refusal('rsi:14:3').mend).toContain('rsi:period, for instance rsi:14');
    expect(refusal('obv:3').mend).toContain('obv');
    expect(refusal('macd:26:12:9').message).toContain('fast must be below slow');
    for (const bad of [
      'rsi:0',
      'rsi:1',
      'rsi:-3',
      'rsi:1.5',
      'rsi:x',
      'rsi:',
      'rsi:1e9',
      'rsi:0x10',
      'sar:2:0.2',
    ]) {
      expect(refusal(bad).mend, bad).toMatch(/must be (a whole number|a number) from/);
    }
    expect(refusal('bbands:20:NaN').message).toContain("deviations is 'NaN'");
  });
});

describe('featureDefinitions', () => {
  it('lists every feature once, with defaults inside their ranges', () => {
    const names = featureDefinitions.map((definition) => definition.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual([...names].sort());
    for (const definition of featureDefinitions) {
      expect(parseFeature(definition.name).definition).toBe(definition);
      for (const parameter of definition.parameters) {
        expect(parameter.default).toBeGreaterThanOrEqual(parameter.min);
        expect(parameter.default).toBeLessThanOrEqual(parameter.max);
      }
      expect(definition.outputs.length).toBeGreaterThan(0);
      expect(new Set(parseFeature(definition.name).columns).size).toBe(definition.outputs.length);
    }
  });

  it('has everything the desks ask for', () => {
    const wanted =
      'sma wma ema dema tema rsi macd stoch stochrsi bbands atr natr tr adx cci mfi obv vwap vwap_cum mc gk ' +
      'parkinson rs yz zscore linreg stddev roc mom willr aroon sar donchian keltner obv_slope bbwidth_median ' +
      'volume_mean min max logret logret_stats vol_of_vol candle volume_ratio atr_rate macd_rate';
    for (const name of wanted.split(' ')) expect(parseFeature(name).definition.name).toBe(name);
  });
});
