import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWholeFile } from '../whole-file.ts';
import type { PlayedDesk } from './play-desk.ts';

/** Plays that are done, kept while others are not. */
export const UNFINISHED_FILE = 'worth.unfinished';

/**
 * Finished plays in a file of JSON lines, so that a study that was stopped goes on where it was. The first line names
 * what they belong to; plays of anything else are thrown away. A line that was cut off counts as not there.
 */
export class UnfinishedPlays {
  private readonly path: string;
  private readonly plays = new Map<string, PlayedDesk>();

  constructor(folder: string, key: string) {
    this.path = join(folder, UNFINISHED_FILE);
    const [first, ...lines] = existsSync(this.path) ? readFileSync(this.path, 'utf8').split('\n') : [];
    if (first !== key) {
      writeFileSync(this.path, `${key}\n`);
      return;
    }
    for (const line of lines) {
      const one = lineOf(line);
      if (one !== null) this.plays.set(one.id, one.played);
    }
    // without a line that was cut off, so that the next one begins on its own
    const kept = [...this.plays].map(([id, played]) => `${JSON.stringify({ id, played })}\n`);
    writeWholeFile(this.path, [`${key}\n`, ...kept]);
  }

  get(id: string): PlayedDesk | undefined {
    return this.plays.get(id);
  }

  keep(id: string, played: PlayedDesk): void {
    this.plays.set(id, played);
    appendFileSync(this.path, `${JSON.stringify({ id, played })}\n`);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

function lineOf(line: string): { id: string; played: PlayedDesk } | null {
  if (line === '') return null;
  try {
    return JSON.parse(line) as { id: string; played: PlayedDesk };
  } catch {
    return null;
  }
}
