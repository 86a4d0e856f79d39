import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { Grid, readAxis } from './grid.ts';
import { plateauAround } from './plateau.ts';
import { bestRows, type SweepRow, sortColumn, sweepCells, sweepHeader } from './sweep-row.ts';

const grid = new Grid([readAxis('a=1:3:1'), readAxis('b=1:3:1')]);

function row(variant: number, sharpe: number | null, maxDrawdown = 0.1): SweepRow {
  return {
    variant,
    parameters: grid.pointAt(variant),
    figures: {
      trades: 4,
      return: null,
      sharpe,
      maxDrawdown,
      equityEnd: '10100.5',
      realised: '100',
      unrealised: '0.5',
      fees: '12',
      funding: '0',
      orders: 8,
      fills: 8,
      commands: 9,
      commandsHash: 'c',
    },
    variantHash: 'v',
    notes: [],
    stamps: [],
  };
}

describe('bestRows', () => {
  it('puts the better first, equal ones in order, those without a figure last', () => {
    const rows = [row(0, 1), row(1, null), row(2, 3), row(3, 1), row(4, -2)];
    expect(bestRows(rows, 'sharpe', 10).map(({ variant }) => variant)).toEqual([2, 0, 3, 4, 1]);
    expect(bestRows(rows, 'sharpe', 2)).toHaveLength(2);
  });

  it('knows of which figures less is better, and compares money as numbers', () => {
    const rows = [row(0, 1, 0.3), row(1, 1, 0.2)];
    expect(bestRows(rows, 'maxDrawdown', 1)[0]!.variant).toBe(1);
    const rich = row(2, 1);
    const richer = { ...row(3, 1), figures: { ...row(3, 1).figures, equityEnd: '9' } };
    expect(bestRows([richer, rich], 'equityEnd', 1)[0]).toBe(rich);
  });

  it('names the nearest column', () => {
    expect(sortColumn('maxDrawdown')).toBe('maxDrawdown');
    expect(() => sortColumn('sharp')).toThrow(InputError);
    expect(() => sortColumn('constructor')).toThrow('no column "constructor"');
  });
});

describe('plateauAround', () => {
  it('is mean and worst of what lies one step away and was run', () => {
    // around the middle of 3 x 3, with one corner left out and one without a figure
    const rows = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => row(i, i === 2 ? null : i));
    const plateau = plateauAround(grid, rows, rows[4]!, 'sharpe');
    expect(plateau).toEqual({
      variant: 4,
      column: 'sharpe',
      centre: 4,
      neighbours: 7,
      withoutFigure: 1,
      mean: (0 + 1 + 3 + 5 + 6 + 7) / 6,
      worst: 0,
    });
    const corner = plateauAround(grid, rows, rows[0]!, 'sharpe');
    expect(corner).toMatchObject({ neighbours: 3, mean: (1 + 3 + 4) / 3, worst: 1 });
  });

  it('takes the largest drawdown for the worst', () => {
    const rows = [row(0, 1, 0.1), row(1, 1, 0.4), row(3, 1, 0.2)];
    expect(plateauAround(grid, rows, rows[0]!, 'maxDrawdown').worst).toBe(0.4);
  });

  it('says nothing of a variant that stands alone', () => {
    expect(plateauAround(grid, [row(0, 1)], row(0, 1), 'sharpe')).toMatchObject({
      neighbours: 0,
      mean: null,
      worst: null,
    });
  });
});

describe('a row of the table', () => {
  it('has a cell for every column, empty where there is no figure', () => {
    const header = sweepHeader(['a', 'b']);
    const cells = sweepCells(row(5, null), ['a', 'b']);
    expect(cells).toHaveLength(header.length);
    const named = Object.fromEntries(header.map((name, i) => [name, cells[i]]));
    expect(named).toMatchObject({
      variant: '5',
      a: '2',
      b: '3',
      trades: '4',
      sharpe: '',
      equityEnd: '10100.5',
    });
  });

  it('tells a parameter from a figure of its name', () => {
    const header = sweepHeader(['fees', 'x']);
    expect(header.slice(0, 3)).toEqual(['variant', 'parameter.fees', 'x']);
    expect(new Set(header).size).toBe(header.length);
  });
});
