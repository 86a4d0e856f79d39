import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { makeFolder, replaceFile } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { builtInDesks } from '#desks';
import { sourcesOf } from '../desk-sources.ts';

/** No desk comes near these. */
const FILES_MAX = 200;
const BYTES_MAX = 1_000_000;

const path = z
  .string()
  .max(300)
  .regex(/^[\w@$+=, ()-][\w.@$+=, ()-]*(\/[\w@$+=, ()-][\w.@$+=, ()-]*)*$/);

/** A desk as it goes to another machine: by name, or as the text of its file and of the files that this one imports. */
export const deskSchema = z.discriminatedUnion('kind', [
  // any other name would be loaded as a file of the worker's machine
  z.strictObject({
    kind: z.literal('built-in'),
    name: z.string().refine((name) => Object.hasOwn(builtInDesks, name), 'it is no built-in desk'),
  }),
  z.strictObject({
    kind: z.literal('files'),
    /** Which of the files is the desk's. */
    entry: path,
    files: z
      .array(z.strictObject({ path, text: z.string().max(BYTES_MAX) }))
      .min(1)
      .max(FILES_MAX),
    /** What `type` the nearest package.json gives, where there is one. */
    type: z.enum(['module', 'commonjs']).nullable(),
  }),
]);
export type ShippedDesk = z.output<typeof deskSchema>;

/** Reads a desk for shipping. Throws InputError for one that needs more than relative files, `quorum` and Node's own modules. */
export function shipDesk(named: string): ShippedDesk {
  if (Object.hasOwn(builtInDesks, named)) return { kind: 'built-in', name: named };
  const entry = resolve(named);
  const { files: texts, foreign } = sourcesOf(entry);
  if (foreign !== null) {
    throw new InputError(
      `${named} imports "${foreign}", which workers on other machines may not have`,
      'import only relative files, quorum and node: modules, or leave --queue out',
    );
  }
  if (texts.size > FILES_MAX || [...texts.values()].some(({ length }) => length > BYTES_MAX)) {
    throw new InputError(
      `${named} imports too much to be sent to workers`,
      `a desk has at most ${FILES_MAX} files of at most ${BYTES_MAX} bytes`,
    );
  }
  const root = commonFolder([...texts.keys()].map((file) => dirname(file)));
  const inRoot = (file: string) => relative(root, file).split(sep).join('/');
  const files = [...texts].map(([file, bytes]) => ({ path: inRoot(file), text: bytes.toString('utf8') }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const desk = { kind: 'files' as const, entry: inRoot(entry), files, type: typeOf(dirname(entry)) };
  const read = deskSchema.safeParse(desk);
  if (read.success) return read.data;
  const odd = files.find((file) => !path.safeParse(file.path).success)?.path ?? named;
  throw new InputError(
    `${odd} cannot be sent to workers under this name`,
    'use letters, digits, points and hyphens in the names of files',
  );
}

/** Writes a shipped desk where the program can load it, and gives what to load: a name or a path. */
export function placeDesk(desk: ShippedDesk, cache: string): string {
  if (desk.kind === 'built-in') return desk.name;
  const folder = join(cache, 'desks', sha256(canonicalJson(desk)).slice(0, 32));
  for (const { path, text } of desk.files) {
    const file = join(folder, ...path.split('/'));
    // what lies there may have been cut off by a crash, or be another's
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    makeFolder(dirname(file));
    // several workers may place it at once
    replaceFile(file, Buffer.from(text));
  }
  const manifest = join(folder, 'package.json');
  if (desk.type !== null && !existsSync(manifest)) {
    replaceFile(manifest, Buffer.from(`${JSON.stringify({ type: desk.type })}\n`));
  }
  return join(folder, ...desk.entry.split('/'));
}

function commonFolder(folders: readonly string[]): string {
  let common = folders[0]!.split(sep);
  for (const folder of folders) {
    const parts = folder.split(sep);
    let same = 0;
    while (same < common.length && common[same] === parts[same]) same += 1;
    common = common.slice(0, same);
  }
  return common.join(sep) || sep;
}

function typeOf(folder: string): 'module' | 'commonjs' | null {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) {
      try {
        const { type } = JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown };
        return type === 'module' || type === 'commonjs' ? type : null;
      } catch {
        return null;
      }
    }
    if (dirname(at) === at) return null;
  }
}
