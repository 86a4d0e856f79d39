/** What a desk file imports: `import { defineDesk, z, ... } from 'quorum'`. */
export { z } from 'zod';
export { DAY, HOUR, type Instant, MINUTE, SECOND } from '#base';
export {
  type DeskDefinition,
  type DeskParts,
  defineDesk,
  type EntryStyle,
  type KillFault,
  type KillSwitchPart,
  type RegimePart,
  type RegimeTracker,
} from '#engine';
export * from '#ensemble';
export { defineFeature, type FeatureDefinition, type FeatureFrame, type Kernel } from '#features';
export type { MonitorConfig, ShadowConfig } from '#learning';
export type { Bar, BarColumns, Instrument, InstrumentId } from '#market';
export * from '#risk';
export * from '#signals';
