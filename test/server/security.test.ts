import { afterAll, beforeAll } from 'vitest';
import { climbing } from './attacks/climbing.ts';
import { credentials } from './attacks/credentials.ts';
import { guessing } from './attacks/guessing.ts';
import { holding } from './attacks/holding.ts';
import { input } from './attacks/input.ts';
import { Siege } from './attacks/siege.ts';
import { sites } from './attacks/sites.ts';
import { telling } from './attacks/telling.ts';

// One console under attack from all sides, in this order: what was tried first is looked for in logs at the end.
const siege = new Siege();

beforeAll(() => siege.begin());
afterAll(async () => {
  await siege.world.close();
  process.stdout.write(`\n${siege.text()}\n`);
});

guessing(siege);
credentials(siege);
sites(siege);
climbing(siege);
input(siege);
holding(siege);
telling(siege);
