export * from './choose-states.ts';
export * from './fit-hmm.ts';
export type { HmmRows } from './hmm-rows.ts';
export * from './read-hmm.ts';
