import { sweepKind } from './sweep-kind.ts';
import type { WorkKind } from './work-kind.ts';

/** All sorts of work, by the name that documents give. */
export const WORK_KINDS: Readonly<Record<string, WorkKind>> = { sweep: sweepKind };
