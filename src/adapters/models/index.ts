export * from './feature-rows.ts';
export * from './publish/index.ts';
export * from './registry/index.ts';
