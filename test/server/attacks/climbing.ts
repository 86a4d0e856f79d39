import { describe, expect, it } from 'vitest';
import { ROLES, type Role, SCOPES, type Scope } from '../../../src/apps/contract/index.ts';
import { PASSWORD } from '../identity/people.ts';
import type { Siege } from './siege.ts';
import { aimedAt, ROUTE_IDS, shapeOf, templateOf } from './templates.ts';
import { type Answer, bearer } from './world.ts';

export function climbing(siege: Siege): void {
  describe('climbing', () => {
    const rank = (role: Role) => ROLES.indexOf(role);

    it('from no role, a lower role or a smaller scope on every route', async () => {
      const everybody: {
        name: string;
        headers: Record<string, string>;
        role: Role | null;
        scopes: readonly Scope[];
      }[] = [{ name: 'nobody', headers: {}, role: null, scopes: [] }];
      for (const [name, role] of [
        ['vera', 'viewer'],
        ['tess', 'trader'],
        ['boss', 'administrator'],
      ] as const) {
        const reach = SCOPES.slice(0, rank(role) + 1);
        everybody.push({
          name: `${role} session`,
          headers: siege.world.as(await siege.logIn(name)),
          role,
          scopes: reach,
        });
        for (const [i, scope] of reach.entries())
          everybody.push({
            name: `${role} token ${scope}`,
            headers: bearer(siege.tokenOf(name, [scope])),
            role,
            scopes: SCOPES.slice(0, i + 1),
          });
      }
      let refused = 0;
      let tried = 0;
      for (const id of ROUTE_IDS) {
        const { access } = shapeOf(id);
        if (access === 'anyone') continue;
        const { path, ...sent } = aimedAt(id, templateOf(id).sample);
        for (const { name, headers, role, scopes } of everybody) {
          const may = role !== null && rank(role) >= rank(access.role) && scopes.includes(access.scope);
          // what is allowed is only looked at: the rest would act
          if (may && sent.method !== 'GET') continue;
          const answer = await siege.world.send(path, { ...sent, headers });
          tried += 1;
          if (may) expect([id, name, [401, 403].includes(answer.status)]).toEqual([id, name, false]);
          else {
            refused += 1;
            expect([id, name, answer.status]).toEqual([id, name, role === null ? 401 : 403]);
          }
        }
      }
      expect(siege.world.acts).toEqual([]);
      siege.report(
        `every route (${ROUTE_IDS.length}) as nobody, 3 roles and 6 tokens`,
        tried,
        `${refused} refused (401/403), the others let in`,
      );
    });

    it('where a route is not of the contract', async () => {
      const paths = [
        '/docs',
        '/docs/',
        '/docs/json',
        '/docs/yaml',
        '/docs/static/index.html',
        '/docs/static/swagger-ui.css',
      ];
      for (const path of paths) expect([path, (await siege.world.send(path)).status]).toEqual([path, 401]);
      // open on loopback, by name of the machine only; it tells figures and no secrets
      expect((await siege.world.send('/metrics', { headers: { host: 'evil.example' } })).status).toBe(403);
      siege.report(
        'routes outside the contract (/docs, /metrics under another name) as nobody',
        paths.length + 1,
        '401; 403',
      );
    });

    it('by other spellings of a path and other methods', async () => {
      const visitor = await siege.logIn('vera');
      const tried: string[] = [];
      for (const path of ['/api/v1/users', '/api/v1/audit', '/api/v1/configuration']) {
        const spellings = [
          path,
          `${path}/`,
          `/${path}`,
          path.toUpperCase(),
          `${path}%2f`,
          `${path};x`,
          `${path}%00`,
          `${path}?access=anyone`,
          path.replace('/api/', '/api/./'),
          path.replace('/api/', '/api/%2e/'),
          path.replace('/api/', '/x/../api/'),
          `${path}#`,
          path.replace('users', '%75sers'),
        ];
        for (const spelling of spellings) {
          for (const method of ['GET', 'HEAD', 'PROPFIND', 'TRACE']) {
            const answer = await siege.world.send(spelling, {
              method,
              headers: {
                ...siege.world.as(visitor),
                'x-http-method-override': 'GET',
                'x-original-url': path,
              },
            });
            tried.push(spelling);
            expect([spelling, method, answer.status >= 400 || answer.text.startsWith('<!doctype')]).toEqual([
              spelling,
              method,
              true,
            ]);
          }
        }
      }
      siege.report(
        'other spellings and methods of administrators’ routes, as viewer',
        tried.length,
        '400, 403 or 404',
      );
    });

    it('through the account: a role, a token, a session of somebody else', async () => {
      const [vera, tess] = [await siege.logIn('vera'), await siege.logIn('tess')];
      const as = siege.world.as(vera);
      const program = bearer(siege.tokenOf('boss', ['admin']));
      const boss = siege.world.identity.users.findByName('boss')!;
      const theirs = siege.world.identity.apiTokens.list(boss.id)[0]!;
      const { items } = JSON.parse(
        (await siege.world.send('/api/v1/sessions', { headers: siege.world.as(tess) })).text,
      ) as { items: { id: string }[] };
      const attempts: [Answer, number][] = [
        [
          await siege.world.send(`/api/v1/users/${vera.user.id}`, {
            method: 'PATCH',
            headers: as,
            body: { role: 'administrator', reason: 'x' },
          }),
          403,
        ],
        [
          await siege.world.send('/api/v1/tokens', {
            method: 'POST',
            headers: as,
            body: { name: 'x', scopes: ['admin'] },
          }),
          403,
        ],
        [
          await siege.world.send('/api/v1/tokens', {
            method: 'POST',
            headers: as,
            body: { name: 'x', scopes: ['read'], userId: boss.id },
          }),
          400,
        ],
        [await siege.world.send(`/api/v1/tokens/${theirs.id}`, { method: 'DELETE', headers: as }), 404],
        [await siege.world.send(`/api/v1/sessions/${items[0]!.id}`, { method: 'DELETE', headers: as }), 404],
        [
          await siege.world.send('/api/v1/tokens', {
            method: 'POST',
            headers: program,
            body: { name: 'x', scopes: ['admin'] },
          }),
          403,
        ],
        [
          await siege.world.send('/api/v1/users', {
            method: 'POST',
            headers: program,
            body: { name: 'mole', role: 'administrator', reason: 'x' },
          }),
          403,
        ],
        [
          await siege.world.send('/api/v1/session/password', {
            method: 'POST',
            headers: program,
            body: { current: PASSWORD, next: 'a stolen account' },
          }),
          403,
        ],
        [
          await siege.world.send('/api/v1/session', {
            method: 'POST',
            body: { name: 'vera', password: PASSWORD, role: 'administrator' },
          }),
          400,
        ],
      ];
      expect(attempts.map(([{ status }]) => status)).toEqual(attempts.map(([, status]) => status));
      siege.report(
        'raising the own role, tokens above it, objects of others, mass assignment',
        attempts.length,
        '403, 404 or 400',
      );
    });
  });
}
