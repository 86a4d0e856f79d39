import { parentPort, workerData } from 'node:worker_threads';
import { assert, InputError } from '#base';
import { Grid, type SweepRow } from '#research';
import { findDesk } from '../load-desk.ts';
import { runVariant, type VariantSetting } from './run-variant.ts';
import { dataFromShared, type SharedData } from './shared-tape.ts';
import type { SweepIdentity, SweepRequest } from './sweep-plan.ts';

/** What a thread of a sweep begins with. */
export interface SweepThreadData {
  /** The module that bin/thread.js starts. */
  readonly module: 'apps/setup/sweep/sweep-thread';
  readonly request: SweepRequest;
  readonly identity: SweepIdentity;
  readonly data: SharedData;
}

/** What a thread says of a variant it was handed. */
export type SweepThreadWord =
  | { readonly row: SweepRow }
  | {
      readonly failed: {
        readonly name: string;
        readonly message: string;
        readonly stack: string | null;
        /** Of an error that a person can mend. */
        readonly mend: string | null;
      };
    };

const port = parentPort;
assert(port !== null, 'a thread of a sweep is started by the sweep');
const { request, identity, data } = workerData as SweepThreadData;
const say = (word: SweepThreadWord) => port.postMessage(word);

async function prepare(): Promise<VariantSetting> {
  const found = await findDesk(request.desk);
  if (found.sourceHash !== identity.deskSource) {
    throw new InputError(`${request.desk} was changed while the sweep ran`, 'start the sweep again');
  }
  return { request, found, data: dataFromShared(data), grid: new Grid(identity.axes), identity };
}

function failed(error: unknown): SweepThreadWord {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  // by name: a desk in a folder of its own may bring a second copy of the class
  const mend = name === 'InputError' ? (error as InputError).mend : null;
  return { failed: { name, message, stack: stack ?? null, mend } };
}

const setting = prepare();
// what goes wrong with it is said when the first variant asks for it
setting.catch(() => {});
// one after the other: a message that comes while a variant plays waits here
let turn: Promise<void> = Promise.resolve();
port.on('message', (variant: number) => {
  turn = turn.then(async () => {
    try {
      const row = await runVariant(await setting, variant);
      assert(row !== null, 'a variant of a thread plays to its end');
      say({ row });
    } catch (error) {
      say(failed(error));
    }
  });
});
