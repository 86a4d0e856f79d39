export * from './assert.ts';
export type * from './brand.ts';
export * from './canonical.ts';
export * from './chance.ts';
export * from './exact.ts';
export * from './instant.ts';
export * from './recent.ts';
export * from './state.ts';
