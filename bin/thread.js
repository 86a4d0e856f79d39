// Begins a worker thread of the program the way bin/quorum.js begins the program: desk files that import `quorum` get
// the program's own copy, in a thread as well. What the thread is to do is a module named in its data.
import { existsSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { serveOwnEntries } from './own-entries.js';

const root = new URL('../', import.meta.url);
const built = !existsSync(new URL('src/index.ts', root));
const base = new URL(built ? 'dist/' : 'src/', root);
const extension = built ? '.js' : '.ts';
serveOwnEntries(base, extension);
await import(new URL(`${workerData.module}${extension}`, base).href);
