import { describe, expect, it } from 'vitest';
import { EMPTY_STUDY, readStudy } from './study-input.ts';

describe('readStudy', () => {
  it('makes a backtest of the sample from an empty form', () => {
    const { request, errors } = readStudy(EMPTY_STUDY);
    expect(errors).toEqual({});
    expect(request).toMatchObject({ kind: 'backtest', desk: 'sample', bars: [], set: {}, report: true });
  });

  it('reads values as what they look like', () => {
    const { request } = readStudy({
      ...EMPTY_STUDY,
      kind: 'walk-forward',
      bars: ' A.B=one.csv \n\n two.csv',
      set: 'risk=0.02\nmonitor=false\nmode = long-flat',
      grid: 'fast=5:25:5\nslow=30,60',
      where: 'fast < slow',
      folds: '4',
      feeBps: '2.5',
      from: '2025-01-01',
      to: '2025-02-01',
    });
    expect(request).toMatchObject({
      kind: 'walk-forward',
      bars: ['A.B=one.csv', 'two.csv'],
      set: { risk: 0.02, monitor: false, mode: 'long-flat' },
      grid: { fast: '5:25:5', slow: '30,60' },
      where: 'fast < slow',
      folds: 4,
      feeBps: 2.5,
      from: Date.UTC(2025, 0, 1),
      to: Date.UTC(2025, 1, 1),
    });
  });

  it('says by field what is wrong', () => {
    const { request, errors } = readStudy({
      ...EMPTY_STUDY,
      kind: 'walk-forward',
      desk: ' ',
      set: 'no value',
      folds: '1',
      cash: '-3',
      from: '2025-02-01',
      to: '2025-01-01',
    });
    expect(request).toBeNull();
    expect(Object.keys(errors).sort()).toEqual(['cash', 'desk', 'folds', 'grid', 'set', 'to']);
  });
});
