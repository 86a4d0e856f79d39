export * from './apply.ts';
export * from './database.ts';
export { migrate, SCHEMA_VERSION } from './migrations.ts';
export * from './projector.ts';
export * from './tables.ts';
