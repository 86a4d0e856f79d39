import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '#base';
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

let decidingHash: string | null = null;
let trainingHash: string | null = null;
let wholeHash: string | null = null;

/** SHA-256 over the program's decision-making code: two journals with one hash were decided by the same rules. */
export function codeHash(): string {
  decidingHash ??= hashOf((file) => DECIDING.some((pattern) => pattern.test(file)));
  return decidingHash;
}

/** SHA-256 over what decides and what trains: a model is made again by the code that made it. */
export function trainerHash(): string {
  const TRAINING = [...DECIDING, /^research\//, /^apps\/train\//];
  trainingHash ??= hashOf((file) => TRAINING.some((pattern) => pattern.test(file)));
  return trainingHash;
}

/** SHA-256 over all of the program's code: what one version reckoned is gone on with by that version only. */
export function programHash(): string {
  wholeHash ??= hashOf(() => true);
  return wholeHash;
}

/**
 * The program and what reckons for it: engines of another version, or compiled for another processor, may give other last
 * digits of a sine or a logarithm. Machines whose results stand in one table have this in common.
 */
export const reckonerHash = (): string => sha256(`${programHash()} ${process.versions.v8} ${process.arch}`);

function hashOf(counts: (file: string) => boolean): string {
  const hash = createHash('sha256');
  for (const file of sourceFiles(PROGRAM_ROOT).filter(counts)) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(PROGRAM_ROOT, file)));
  }
  return hash.digest('hex');
}

/** Version of the package the program belongs to. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PROGRAM_ROOT, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
