import type { IngestFigures } from '../ingest/ingest-figures.ts';
import { Companion } from './companion.ts';

/** What an ingestion says to the program that started it. */
export type IngestWord =
  | { readonly word: 'says'; readonly line: string }
  | { readonly word: 'figures'; readonly figures: IngestFigures }
  | { readonly word: 'open'; readonly shown: string | null; readonly port: number | null };

export interface IngestCompanionOptions {
  /** Arguments of `quorum ingest` behind its name. */
  readonly args: readonly string[];
  /** A line for people and for the log. */
  readonly tell: (line: string) => void;
}

/**
 * Endpoint and worker of a webhook feed as a process beside the loop: a loop that is busy or ends holds no sender up, and what
 * was answered is in the queue when it comes back.
 */
export class IngestCompanion {
  private readonly companion: Companion;
  private told: IngestFigures | null = null;

  constructor({ args, tell }: IngestCompanionOptions) {
    this.companion = new Companion({
      args: ['ingest', ...args],
      onMessage: (message) => {
        const said = message as IngestWord;
        if (said.word === 'says') tell(`ingest: ${said.line}`);
        else if (said.word === 'figures') this.told = said.figures;
        else if (said.shown !== null) tell(`bars are taken at ${said.shown}`);
      },
      onEnd: (why, againMs) => {
        // those of one that is gone stand for nothing
        this.told = null;
        const [first] = why.split('\n');
        const then =
          againMs === null ? 'it stays away' : `it starts again in ${Math.round(againMs / 1_000)} s`;
        tell(`the ingestion ended: ${first}; ${then}`);
      },
    });
  }

  /** As it last told; null before that and while it is away. */
  get figures(): IngestFigures | null {
    return this.told;
  }

  get pid(): number | null {
    return this.companion.pid;
  }

  close(): Promise<void> {
    return this.companion.close();
  }
}
