import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWholeFile } from '../whole-file.ts';

/** How a portfolio was started, so that it can be started again in the same way. Holds no secret: options name none. */
const recordSchema = z.object({
  version: z.literal(1),
  pid: z.int(),
  startedAt: z.int(),
  /** Script of the program, and what followed it on the command line. */
  program: z.string().min(1),
  args: z.array(z.string()),
  cwd: z.string().min(1),
});

export type StartRecord = z.output<typeof recordSchema>;

const FILE = 'start.json';

/** Written by a portfolio that runs, into its own folder. Why it could not be, or null: the portfolio runs on without it. */
export function recordStart(directory: string): string | null {
  const [, program = '', ...args] = process.argv;
  const record: StartRecord = {
    version: 1,
    pid: process.pid,
    startedAt: Date.now(),
    program,
    args,
    cwd: process.cwd(),
  };
  try {
    writeWholeFile(join(directory, FILE), [`${JSON.stringify(record, null, 2)}\n`]);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Null when there is none that can be read. */
export function readStart(directory: string): StartRecord | null {
  const path = join(directory, FILE);
  if (!existsSync(path)) return null;
  try {
    const read = recordSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}

/** What to start again with: a journal that was put aside once must not be put aside at every restart. */
export function restartArguments({ args }: StartRecord): string[] {
  return args.filter((arg) => arg !== '--fresh');
}
