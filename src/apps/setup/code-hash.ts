import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFiles } from './source-files.ts';

/** Folder of the running program's own code: `src` in a clone, `dist` in a package. */
export const PROGRAM_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What decides: the rooms above the rim, the order in which a backtest plays, and what makes parts into a portfolio. */
const DECIDING = [
  /^(base|market|ledger|features|signals|ensemble|risk|execution|learning|engine|desks)\//,
  /^research\/backtest\./,
  /^apps\/setup\/study\./,
  /^apps\/runner\/portfolio-setup\./,
];

let known: string | null = null;

/** SHA-256 over the program's decision-making code: two journals with one hash were decided by the same rules. */
export function codeHash(): string {
  if (known !== null) return known;
  const hash = createHash('sha256');
  for (const file of sourceFiles(PROGRAM_ROOT)) {
    if (DECIDING.some((pattern) => pattern.test(file)))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(PROGRAM_ROOT, file)));
  }
  known = hash.digest('hex');
  return known;
}

/** Version of the package the program belongs to. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PROGRAM_ROOT, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
