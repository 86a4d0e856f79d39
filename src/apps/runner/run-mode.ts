/**
 * What the figures of a run rest on: a live feed, recorded prices played again, or made-up prices. Everything but
 * PAPER is marked on every line, and only PAPER counts as evidence of anything.
 */
export type RunMode = 'PAPER' | 'REPLAY' | 'SYNTHETIC';

export const isEvidence = (mode: RunMode): boolean => mode === 'PAPER';

/** What stands before every line of a run: empty for live prices. */
export const markOf = (mode: RunMode): string => (mode === 'PAPER' ? '' : `${mode} `);
