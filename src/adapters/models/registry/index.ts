export * from './evidence-signature.ts';
export * from './find-model.ts';
export { HELD_STAGES, type HeldStage, MODEL_NAME, type ModelEvent } from './model-event.ts';
export * from './model-file.ts';
export type { LoggedEvent, LogHead } from './model-log.ts';
export * from './model-registry.ts';
export { readArtefact, readEvidence } from './model-schemas.ts';
export type { ModelEntry } from './model-state.ts';
export { treesOf } from './model-trees.ts';
