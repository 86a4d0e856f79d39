/** What a desk file imports: `import { defineDesk, z, ... } from 'quorum'`. */
export { z } from 'zod';
export { DAY, HOUR, type Instant, MINUTE, SECOND } from '#base';
export {
  type DeskDefinition,
  type DeskParts,
  defineDesk,
  type EntryStyle,
  type RegimePart,
  type RegimeTracker,
} from '#engine';
export * from '#ensemble';
export type { FeatureFrame } from '#features';
export type { MonitorConfig, ShadowConfig } from '#learning';
export type { Instrument, InstrumentId } from '#market';
export * from '#risk';
export * from '#signals';
