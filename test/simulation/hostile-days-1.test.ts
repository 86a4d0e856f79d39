import { describe } from 'vitest';
import { simulatedDays } from './days.ts';

describe('a simulated day with lost, late and repeated messages, clock steps, outages and crashes', () => {
  simulatedDays(0, 25);
});
