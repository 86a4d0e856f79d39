import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { PASSWORD } from '../identity/people.ts';
import type { Siege } from './siege.ts';
import { bearer, codeOf } from './world.ts';

export function guessing(siege: Siege): void {
  describe('guessing', () => {
    it('passwords of one user, from many places and with a forged address', async () => {
      await siege.world.user('target', 'administrator');
      const statuses: number[] = [];
      for (let i = 0; i < 40; i++)
        statuses.push(
          (
            await siege.tryPassword('target', `guess number ${i}`, {
              'x-forwarded-for': `10.0.0.${i}`,
              forwarded: `for=10.1.0.${i}`,
            })
          ).status,
        );
      expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
      expect(new Set(statuses.slice(5))).toEqual(new Set([429]));
      expect((await siege.tryPassword('target', PASSWORD)).status).toBe(429);
      siege.report(
        'brute force of a password (forged X-Forwarded-For)',
        41,
        '5 answered, then 429 for 1 min, doubling to 1 h',
      );
      siege.world.pass(DAY + 1);
    });

    it('one password for many users', async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 20; i++)
        statuses.push((await siege.tryPassword(`user${i}`, 'Spring2026!!')).status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      siege.report('password spraying over 20 names', 20, '5 answered, then 429 for the address');
      siege.world.pass(DAY + 1);
    });

    it('passwords at the token endpoint, many at once', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) => {
          const body = `grant_type=password&username=target&password=guess${i}`;
          return siege.world.send('/auth/token', {
            method: 'POST',
            body,
            headers: { ...form, 'content-length': String(body.length) },
          });
        }),
      );
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(25);
      siege.report('30 guesses at once at POST /auth/token', 30, '5 answered (invalid_grant), 25 x 429');
      siege.world.pass(DAY + 1);
    });

    it('which users there are, by the answer', async () => {
      const [known, unknown] = [
        await siege.tryPassword('vera', 'not the password'),
        await siege.tryPassword('nobody-here', 'not the password'),
      ];
      expect(known.text).toBe(unknown.text);
      expect(known.status).toBe(unknown.status);
      siege.report(
        'finding out names of users by the answer',
        2,
        'same status, same words; scrypt runs for unknown names too',
      );
      siege.world.pass(DAY + 1);
    });

    it('tokens', async () => {
      const good = siege.tokenOf('boss', ['admin']);
      const id = good.slice(0, 29);
      const guesses = [
        ...Array.from({ length: 50 }, (_, i) => `${id}${String(i).padEnd(43, 'A')}`),
        'qrm_',
        'qrm__',
        `${good}A`,
        good.slice(0, -1),
        good.toUpperCase(),
        '',
        'null',
        `${id}' OR 1=1`,
      ];
      for (const guess of guesses) {
        const answer = await siege.world.send('/api/v1/users', { headers: bearer(guess) });
        expect([guess, answer.status]).toEqual([guess, 401]);
      }
      siege.report('guessing secrets of API tokens', guesses.length, '401');
    });

    it('codes of the second factor, with the password known', async () => {
      const user = await siege.world.user('otto', 'trader');
      siege.world.identity.secondFactor.enrol(user);
      siege.world.identity.store.run('UPDATE users SET totp_confirmed_at = 1 WHERE id = ?', user.id);
      const codes: (string | null)[] = [];
      for (let i = 0; i < 12; i++) {
        // the password alone is right each time, which must not reset the count
        await siege.tryPassword('otto', PASSWORD);
        const body = { name: 'otto', password: PASSWORD, otp: String(i).padStart(6, '0') };
        codes.push(codeOf(await siege.world.send('/api/v1/session', { method: 'POST', body })));
      }
      expect(codes.filter((code) => code === 'wrong-credentials')).toHaveLength(5);
      expect(codes.at(-1)).toBe('locked-out');
      siege.report('brute force of the second factor', 12, '5 answered, then locked out');
      siege.world.pass(DAY + 1);
    });
  });
}
