import type { DeskDefinition } from '#engine';
import { sample } from './sample/sample-desk.ts';
import { sigma } from './sigma/sigma-desk.ts';

export { sample } from './sample/sample-desk.ts';
export { type SampleParameters, sampleParameters } from './sample/sample-parameters.ts';
export { SIGMA_INSTRUMENTS, sigma, sigmaRegime } from './sigma/sigma-desk.ts';
export { type SigmaParameters, sigmaParameters } from './sigma/sigma-parameters.ts';

/** Desks that come with the program, by name. */
export const builtInDesks: Readonly<Record<string, DeskDefinition<never>>> = {
  sample: sample as unknown as DeskDefinition<never>,
  sigma: sigma as unknown as DeskDefinition<never>,
};
