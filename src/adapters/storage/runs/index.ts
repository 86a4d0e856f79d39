export { REGISTRY_VERSION } from './registry-schema.ts';
export * from './run-registry.ts';
