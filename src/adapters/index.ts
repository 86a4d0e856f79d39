export * from './alerts/index.ts';
export * from './feeds/index.ts';
export * from './queue/index.ts';
export * from './storage/index.ts';
