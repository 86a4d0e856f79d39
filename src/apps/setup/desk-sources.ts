import { readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { canonicalJson, sha256 } from '#base';
import { PROGRAM_ROOT } from './code-hash.ts';

/** What a desk is made of besides the program. */
export interface DeskSources {
  /** The desk's file and the relative files that it imports, by absolute path. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The first import that is neither such a file nor `quorum` nor a module of Node's; null when there is none. */
  readonly foreign: string | null;
}

const OWN = ['quorum', 'quorum/features', 'quorum/research'];

/** Follows the imports of a desk's file, as far as they stand in text; files of the program have their own hash. */
export function sourcesOf(entry: string): DeskSources {
  const files = new Map<string, Buffer>();
  let foreign: string | null = null;
  const toRead = [entry];
  for (let file = toRead.pop(); file !== undefined; file = toRead.pop()) {
    if (files.has(file)) continue;
    const bytes = readFileSync(file);
    files.set(file, bytes);
    for (const specifier of importsOf(bytes.toString('utf8'))) {
      if (isEverywhere(specifier)) continue;
      const found = specifier.startsWith('.') ? resolve(dirname(file), specifier) : null;
      if (found === null || found.startsWith(PROGRAM_ROOT)) foreign ??= specifier;
      // the desk can be loaded: what is not there is only text that looks like an import
      else if (statSync(found, { throwIfNoEntry: false })?.isFile() === true) toRead.push(found);
    }
  }
  return { files, foreign };
}

/** SHA-256 of a desk's file; of all its files with their places where it imports some, wherever they lie together. */
export function sourceHashOf(entry: string): string {
  const { files } = sourcesOf(entry);
  if (files.size === 1) return sha256(files.get(entry)!);
  const place = (file: string) => relative(dirname(entry), file).split(sep).join('/');
  return sha256(
    canonicalJson(Object.fromEntries([...files].map(([file, bytes]) => [place(file), sha256(bytes)]))),
  );
}

const isEverywhere = (specifier: string): boolean =>
  OWN.includes(specifier) || specifier.startsWith('node:') || builtinModules.includes(specifier);

/** What a file imports, as far as it says so in text; more than that where comments look like it. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: string[] = [];
  for (const pattern of [/\bfrom\s*(['"])([^'"\n]+)\1/g, /\bimport\s*\(?\s*(['"])([^'"\n]+)\1/g]) {
    for (const match of code.matchAll(pattern)) found.push(match[2]!);
  }
  return found;
}
