import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What a part of a desk was worth in a study: its daily return with the part less that without it. */
export interface PartWorth {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
}

const interval = z.object({ estimate: z.number(), low: z.number(), high: z.number() });
const study = z.object({
  deskHash: z.string(),
  parts: z.array(z.object({ kind: z.string(), name: z.string(), dailyReturn: interval.nullable() })),
});
type Study = z.output<typeof study>;

const FILE = 'worth.json';
/** Folders below a data directory in which studies may lie, at most so deep. */
const DEPTH = 3;
const FOLDERS_MOST = 2_000;
const BYTES_MOST = 16 << 20;

/**
 * Worth of parts by `kind:name`, from the newest study below a data directory of a desk with exactly this hash: the same
 * source and the same parameters. Empty when there is none.
 */
export class WorthOnRecord {
  private readonly read = new Map<string, { readonly file: string; readonly study: Study | null }>();

  of(dataDir: string, deskHash: string): ReadonlyMap<string, PartWorth> {
    const newest = this.studies(dataDir)
      .filter(({ study: { deskHash: own } }) => own === deskHash)
      .sort((a, b) => b.at - a.at)[0];
    const found = new Map<string, PartWorth>();
    for (const { kind, name, dailyReturn } of newest?.study.parts ?? []) {
      if (dailyReturn === null) continue;
      const { estimate, low, high } = dailyReturn;
      found.set(`${kind}:${name}`, { value: estimate, low, high, unit: 'return a day' });
    }
    return found;
  }

  private studies(dataDir: string): { readonly at: number; readonly study: Study }[] {
    const found: { at: number; study: Study }[] = [];
    let folders = 0;
    const look = (folder: string, depth: number) => {
      if (folders++ >= FOLDERS_MOST) return;
      for (const entry of entriesOf(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory() && depth < DEPTH) look(path, depth + 1);
        else if (entry.isFile() && entry.name === FILE) {
          const one = this.studyIn(path);
          if (one !== null) found.push(one);
        }
      }
    };
    look(dataDir, 0);
    return found;
  }

  private studyIn(path: string): { readonly at: number; readonly study: Study } | null {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.size > BYTES_MOST) return null;
    const file = `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    let known = this.read.get(path);
    if (known?.file !== file) {
      known = { file, study: parse(readFileSync(path, 'utf8')) };
      this.read.set(path, known);
    }
    return known.study === null ? null : { at: stat.mtimeMs, study: known.study };
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // a folder that goes while we look
    return [];
  }
}

/** A file that is no such study says nothing. */
function parse(text: string): Study | null {
  try {
    const result = study.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
