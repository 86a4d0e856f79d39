import type { DeskDefinition } from '#engine';
import { sigma } from './sigma/sigma-desk.ts';

export { SIGMA_INSTRUMENTS, sigma, sigmaRegime } from './sigma/sigma-desk.ts';
export { type SigmaParameters, sigmaParameters } from './sigma/sigma-parameters.ts';

/** Desks that come with the program, by name. */
export const builtInDesks: Readonly<Record<string, DeskDefinition<never>>> = {
  sigma: sigma as unknown as DeskDefinition<never>,
};
