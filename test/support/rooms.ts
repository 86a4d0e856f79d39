import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFiles } from '../../src/apps/setup/source-files.ts';

/** The rooms that the engine stands on. */
const BELOW_ENGINE = [
  'base',
  'market',
  'ledger',
  'features',
  'signals',
  'ensemble',
  'risk',
  'execution',
  'learning',
];

/** Who may import whom; a room may always import itself. */
export const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  market: ['base'],
  ledger: ['base', 'market'],
  features: ['base', 'market'],
  signals: ['base', 'market', 'features'],
  ensemble: ['base', 'market', 'signals'],
  risk: ['base', 'market', 'ledger', 'features', 'ensemble'],
  execution: ['base', 'market', 'ledger', 'risk'],
  learning: ['base', 'market', 'ledger', 'features', 'signals', 'ensemble', 'risk'],
  engine: BELOW_ENGINE,
  desks: [...BELOW_ENGINE, 'engine'],
  research: [...BELOW_ENGINE, 'engine'],
  adapters: [...BELOW_ENGINE, 'engine', 'research'],
};

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** What only adapters/ and apps/ may touch: the wall clock, chance, the environment, files, sockets, waiting. */
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\s*\(/, 'the wall clock'],
  [/\bnew Date\s*\(\s*\)/, 'the wall clock'],
  [/\bperformance\.now\s*\(/, 'the wall clock'],
  [/\bMath\.random\s*\(/, 'chance without a seed'],
  [/\bprocess\.(env|hrtime|argv|stdout|stderr|exit)\b/, 'the process environment'],
  [/\bset(Timeout|Interval|Immediate)\s*\(/, 'a timer of the machine'],
  [/\bfetch\s*\(/, 'the network'],
  [/\bnew WebSocket\b/, 'the network'],
];

const PURE_MODULES = new Set(['node:crypto', 'node:zlib', 'node:buffer', 'zod']);

export interface SourceFile {
  /** Path below src/ with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every file of the program with its text. */
export function readSources(root: string): SourceFile[] {
  return sourceFiles(root).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(IMPORT)].map((m) => m[1] ?? m[2]!);
}

const roomOf = (path: string) => (path.includes('/') ? path.split('/')[0]! : '');

/** Every broken room rule, as readable lines. */
export function roomFaults(files: readonly SourceFile[]): string[] {
  const faults: string[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === '' || room === 'apps') continue;
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) {
      faults.push(`${file.path}: no such room`);
      continue;
    }
    for (const target of importsOf(file.text)) faults.push(...importFaults(file.path, room, allowed, target));
    if (room !== 'adapters') faults.push(...impurities(file));
  }
  return faults;
}

function importFaults(path: string, room: string, allowed: readonly string[], target: string): string[] {
  if (target.startsWith('#')) {
    const other = target.slice(1).split('/')[0]!;
    if (other === room) return [`${path}: a room imports itself by relative path, not ${target}`];
    return allowed.includes(other) ? [] : [`${path}: ${room} may not import ${other}`];
  }
  if (target.startsWith('.')) {
    const depth = path.split('/').length - 2;
    const up = target.match(/\.\.\//g)?.length ?? 0;
    return up > depth ? [`${path}: leaves its room by ${target}; use the room's door`] : [];
  }
  if (room === 'adapters' || PURE_MODULES.has(target)) return [];
  return [`${path}: ${room} may not import ${target}`];
}

function impurities(file: SourceFile): string[] {
  const code = file.text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
  return IMPURE.filter(([pattern]) => pattern.test(code)).map(([, what]) => `${file.path}: touches ${what}`);
}

/** Circles among files, each as a path of file names. */
export function importCircles(files: readonly SourceFile[]): string[][] {
  const edges = new Map<string, string[]>();
  const known = new Set(files.map((f) => f.path));
  for (const file of files) {
    const targets = importsOf(file.text.replace(/(?:^|\n)\s*(?:import|export)\s+type\s[\s\S]*?;/g, ''))
      .map((target) => resolveTarget(file.path, target))
      .filter((target) => known.has(target) && target !== file.path);
    edges.set(file.path, targets);
  }
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      circles.push([...trail.slice(at), path]);
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return circles;
}

function resolveTarget(from: string, target: string): string {
  if (target.startsWith('#')) return `${target.slice(1)}/index.ts`;
  if (!target.startsWith('.')) return '';
  const parts = from.split('/').slice(0, -1);
  for (const step of target.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}

/** Every source of the dashboard with its text, paths below its folder. */
export function readWeb(root: string): SourceFile[] {
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory())
        return entry.name === 'node_modules' || entry.name === 'dist' ? [] : below(path);
      return /\.tsx?$/.test(entry.name) ? [path] : [];
    });
  return below('').map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The dashboard may import its own files, packages, and of the program only the wire types. */
export function webFaults(files: readonly SourceFile[]): string[] {
  const faults: string[] = [];
  for (const { path, text } of files) {
    const depth = path.split('/').length;
    for (const target of importsOf(text)) {
      if (target.startsWith('#') || target === 'quorum' || target.startsWith('quorum/')) {
        faults.push(`${path}: the dashboard may not import ${target}`);
        continue;
      }
      if (!target.startsWith('.')) continue;
      const up = target.split('/').filter((part) => part === '..').length;
      if (up < depth) continue;
      if (!/^(\.\.\/)+src\/apps\/contract\//.test(target))
        faults.push(`${path}: the dashboard may import src/apps/contract only, not ${target}`);
    }
  }
  return faults;
}
