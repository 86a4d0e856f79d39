export * from './feeds/index.ts';
export * from './storage/index.ts';
