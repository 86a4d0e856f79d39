/** How far a desk with its parameters may go. */
export type Stage = 'research' | 'paper' | 'live';

export const STAGES: readonly Stage[] = ['research', 'paper', 'live'];
