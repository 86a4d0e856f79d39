import type { DeskDefinition } from '#engine';
import { s1Momentum } from './s1-momentum/s1-desk.ts';
import { sample } from './sample/sample-desk.ts';
import { sigma } from './sigma/sigma-desk.ts';

export * from './s1-momentum/s1-configs.ts';
export { S1_BREAKER, S1_GROUP, s1ModelReference, s1Momentum } from './s1-momentum/s1-desk.ts';
export { type S1Parameters, s1Parameters } from './s1-momentum/s1-parameters.ts';
export { sample } from './sample/sample-desk.ts';
export { type SampleParameters, sampleParameters } from './sample/sample-parameters.ts';
export { SIGMA_INSTRUMENTS, sigma, sigmaRegime } from './sigma/sigma-desk.ts';
export { type SigmaParameters, sigmaParameters } from './sigma/sigma-parameters.ts';

/** Desks that come with the program, by name. */
export const builtInDesks: Readonly<Record<string, DeskDefinition<never>>> = {
  sample: sample as unknown as DeskDefinition<never>,
  's1-momentum': s1Momentum as unknown as DeskDefinition<never>,
  sigma: sigma as unknown as DeskDefinition<never>,
};
