import { NO_TRACE } from '#engine';
import type { PlayInputs } from '../../worth/play-desk.ts';
import { buildStudy } from '../study.ts';

/** Length of the bars that the desk of a run decides on. */
export const runIntervalMs = ({ desk, shapes, configuration }: PlayInputs): number =>
  buildStudy(desk, shapes, configuration, NO_TRACE).intervalMs;
