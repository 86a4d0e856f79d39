import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '#base';
import { Grid, type SweepRow } from '#research';
import { readJson } from './read-file.ts';

const MEND = 'delete it and run the sweep again';

const value = z.union([z.number(), z.string(), z.boolean(), z.null()]);

const Sweep = z.looseObject({
  identity: z.looseObject({
    desk: z.string(),
    axes: z
      .array(z.looseObject({ name: z.string(), values: z.array(value).min(1), ordered: z.boolean() }))
      .min(1),
    where: z.string().nullable().default(null),
    feeBps: z.number().nullable().default(null),
    slippageBps: z.number().nullable().default(null),
    seed: z.string(),
    set: z.record(z.string(), z.unknown()).default({}),
    tapeHash: z.string(),
    codeHash: z.string(),
  }),
  instruments: z.array(z.string()),
  currency: z.string(),
  combinations: z.number(),
  variants: z.number(),
  rows: z.array(
    z.looseObject({
      variant: z.int().min(0),
      parameters: z.record(z.string(), value),
      figures: z.looseObject({
        trades: z.number(),
        return: z.number().nullable(),
        sharpe: z.number().nullable(),
        maxDrawdown: z.number(),
        fees: z.string(),
        funding: z.string(),
        equityEnd: z.string(),
      }),
      notes: z.array(z.string()).default([]),
      stamps: z.array(z.string()).default([]),
    }),
  ),
});

export interface SweepFiles {
  readonly file: z.infer<typeof Sweep>;
  readonly grid: Grid;
  readonly rows: readonly SweepRow[];
}

/** Whether a directory is that of a sweep, finished or not. */
export const isSweep = (dir: string): boolean =>
  existsSync(join(dir, 'sweep.json')) || existsSync(join(dir, 'rows.jsonl'));

/** A finished sweep. Throws InputError for one that is not, and for damaged files. */
export function readSweep(dir: string): SweepFiles {
  const path = join(dir, 'sweep.json');
  const file = readJson(path, Sweep, MEND);
  if (file === null) {
    throw new InputError(
      `${dir} holds a sweep that is not finished`,
      'give the same sweep command again: it goes on',
    );
  }
  const grid = new Grid(file.identity.axes);
  const strange = file.rows.find(({ variant }) => variant >= grid.size);
  if (strange !== undefined)
    throw new InputError(`${path} is damaged: there is no variant ${strange.variant}`, MEND);
  if (file.rows.length === 0) throw new InputError(`${path} holds no variant`, MEND);
  return { file, grid, rows: file.rows as unknown as readonly SweepRow[] };
}
