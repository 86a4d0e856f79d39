import { z } from 'zod';

const fraction = z.number().min(0).max(1);

/** Parameters of the sample desk. Unknown keys are refused. */
export const sampleParameters = z
  .strictObject({
    bars: z.int().min(2).max(500).default(20).describe('bars of the channel'),
    risk: fraction.default(0.01).describe('share of equity at risk to the stop'),
    stopAtrMultiple: z.number().positive().default(2),
    targetMultiple: z.number().positive().default(3).describe('target distance in stop distances'),
    assetMax: fraction.default(0.9).describe('largest holding, share of equity'),
  })
  .prefault({});

export type SampleParameters = z.output<typeof sampleParameters>;
