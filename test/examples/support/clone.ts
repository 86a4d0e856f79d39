import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './command-line.ts';

/** A fenced block of a document. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

// what a clone holds that a walk needs; installed packages are lent, so that it works without a network
const CLONED = ['bin', 'src', 'scripts', 'examples', 'package.json', 'tsconfig.json'];

/** A folder like a fresh clone after `npm install`. */
export class Clone {
  readonly path: string = mkdtempSync(join(tmpdir(), 'quorum-walk-'));

  constructor() {
    for (const name of CLONED) cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'), 'dir');
    mkdirSync(join(this.path, 'runs'));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
