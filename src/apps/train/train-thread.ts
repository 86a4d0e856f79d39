import { serveTasks } from '../setup/threads/serve-tasks.ts';
import { playTrial, type TrialJob, type TrialPlayed, type TrialSetting } from './trial-player.ts';

serveTasks<TrialSetting, TrialJob, never, TrialPlayed>(
  async (setting) => async (job) => playTrial(setting, job),
);
