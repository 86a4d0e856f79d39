export * from './count-trials.ts';
export * from './decide.ts';
export * from './decide-model.ts';
export * from './model-evidence.ts';
export * from './profile.ts';
export * from './sheet-figures.ts';
export * from './stage.ts';
export * from './window-contest.ts';
