export * from './decide.ts';
export * from './profile.ts';
export * from './stage.ts';
