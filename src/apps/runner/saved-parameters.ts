import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, InputError } from '#base';
import { findDesk } from '../setup/load-desk.ts';
import { writeWholeFile } from '../whole-file.ts';
import type { PortfolioRequest } from './portfolio-setup.ts';
import { begunHeader } from './session.ts';

const entry = z.object({
  /** As they were given; null: those of the configuration again. */
  parameters: z.record(z.string(), z.unknown()).nullable(),
  /** Wall time, epoch ms. */
  at: z.int(),
  by: z.string(),
  reason: z.string(),
});
const file = z.record(z.string(), z.array(entry));

/** Parameters of a desk that somebody saved for its next fresh start. */
export type SavedParameters = z.output<typeof entry>;

/** Kept for each desk; the history with differences is the console's. */
const KEPT = 100;

/** Beside the portfolio's folder, which a fresh start puts aside. */
const pathOf = (dataDir: string, portfolio: string): string => join(dataDir, `${portfolio}.parameters.json`);

function readAll(dataDir: string, portfolio: string): z.output<typeof file> {
  const path = pathOf(dataDir, portfolio);
  if (!existsSync(path)) return {};
  const damaged = new InputError(
    `${path} is damaged`,
    'mend it, or move it away to go back to the parameters of the configuration',
  );
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw damaged;
  }
  const read = file.safeParse(value);
  if (!read.success) throw damaged;
  return read.data;
}

/** What was saved for a desk, oldest first: the last one counts. Throws {@link InputError} for a damaged file. */
export function savedParameters(
  dataDir: string,
  portfolio: string,
  desk: string,
): readonly SavedParameters[] {
  return readAll(dataDir, portfolio)[desk] ?? [];
}

/** Saves parameters of a desk. They are not checked here. */
export function saveParameters(
  dataDir: string,
  portfolio: string,
  desk: string,
  saved: SavedParameters,
): void {
  const all = readAll(dataDir, portfolio);
  const own = [...(all[desk] ?? []), saved].slice(-KEPT);
  writeWholeFile(pathOf(dataDir, portfolio), [`${JSON.stringify({ ...all, [desk]: own }, null, 2)}\n`]);
}

/**
 * A portfolio as it is to be started: begun anew with what was saved for its desks, continued with what its journal says,
 * whatever has been saved since. `notes` tell of both in words.
 */
export async function withSavedParameters(
  request: PortfolioRequest,
  { dataDir, fresh }: { readonly dataDir: string; readonly fresh: boolean },
): Promise<{ readonly request: PortfolioRequest; readonly notes: readonly string[] }> {
  const all = readAll(dataDir, request.name);
  if (Object.keys(all).length === 0) return { request, notes: [] };
  const begun = begunHeader(join(dataDir, request.name), fresh);
  const notes: string[] = [];
  const desks: PortfolioRequest['portfolio']['desks'] = await Promise.all(
    request.portfolio.desks.map(async (desk, i) => {
      const name = desk.name ?? (await findDesk(desk.desk)).definition.name;
      const saved = all[name];
      const newest = saved?.at(-1);
      if (saved === undefined || newest === undefined) return desk;
      const wanted = newest.parameters ?? desk.parameters;
      if (begun === null) {
        if (newest.parameters !== null)
          notes.push(`desk ${name} starts with the parameters saved by ${newest.by}`);
        return { ...desk, parameters: wanted };
      }
      const before = begun.request.portfolio.desks[i]?.parameters;
      // one that was begun with other parameters than any saved ones is for the check of its configuration
      const own = [desk.parameters, ...saved.map((one) => one.parameters)];
      if (
        before === undefined ||
        !own.some((one) => one !== null && canonicalJson(one) === canonicalJson(before))
      )
        return desk;
      if (canonicalJson(before) !== canonicalJson(wanted))
        notes.push(
          `desk ${name} goes on as it was begun; the parameters saved by ${newest.by} wait for --fresh`,
        );
      return { ...desk, parameters: before };
    }),
  );
  return { request: { ...request, portfolio: { ...request.portfolio, desks } }, notes };
}
