export * from './registry-entries.ts';
export { type RecordedRun, RegistryPages, type RunFilter } from './registry-pages.ts';
export { REGISTRY_VERSION } from './registry-schema.ts';
export * from './run-registry.ts';
