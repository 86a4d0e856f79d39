import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConsole } from '../../../src/apps/server/server.ts';
import { PASSWORD } from '../identity/people.ts';
import type { Siege } from './siege.ts';

export function telling(siege: Siege): void {
  describe('what is told', () => {
    it('publicly: nothing without TLS', async () => {
      for (const host of ['0.0.0.0', '::', '192.168.1.10'])
        await expect(
          createConsole({ dataDir: join(siege.world.dir, 'public'), host, port: 0 }),
        ).rejects.toThrow(/pass in the clear/);
      siege.report('listening publicly without TLS or a trusted proxy', 3, 'refused at start');
    });

    it('in logs, files and errors: no secret', async () => {
      await siege.tryPassword(PASSWORD, 'in the wrong field');
      const files = [
        'server.log',
        'console.sqlite',
        'console.sqlite-wal',
        join(siege.world.portfolio, 'journal'),
      ];
      let looked = 0;
      for (const name of files) {
        const path = join(siege.world.dir, name);
        if (!existsSync(path)) continue;
        const bytes = readFileSync(path);
        for (const [what, secret] of siege.secrets) {
          // the authenticator's secret has to be kept to check codes: the file is readable by its user only
          if (what === 'TOTP secret' && name.startsWith('console.sqlite')) continue;
          looked += 1;
          expect([name, what, bytes.includes(secret)]).toEqual([name, what, false]);
        }
      }
      const admin = siege.world.as(await siege.logIn('boss'));
      for (const path of [
        '/api/v1/audit?limit=500',
        '/api/v1/logs?limit=500',
        '/api/v1/configuration',
        '/api/v1/tokens',
        '/api/v1/users',
        '/metrics',
      ]) {
        const { text } = await siege.world.send(path, { headers: admin });
        for (const [what, secret] of siege.secrets)
          expect([path, what, text.includes(secret)]).toEqual([path, what, false]);
        looked += siege.secrets.size;
      }
      siege.report(
        'secrets in server.log, console.sqlite, journal, audit, logs and metrics routes',
        looked,
        'none found',
      );
    });
  });
}
