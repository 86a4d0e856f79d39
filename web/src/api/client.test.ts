import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressOf, call, csrf, sessionEnded } from './client.ts';
import { Refused } from './errors.ts';

function answer(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() =>
    Promise.resolve(
      new Response(body === undefined ? null : JSON.stringify(body), {
        status,
        headers: { 'content-type': 'application/json' },
      }),
    ),
  );
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

afterEach(() => {
  vi.unstubAllGlobals();
  csrf.set(null);
});

describe('the address of a route', () => {
  it('has its parameters escaped and leaves out what is empty', () => {
    expect(
      addressOf('cancelOrder', { params: { id: 'a/../b' }, query: { portfolio: 'x y', cursor: undefined } }),
    ).toBe('/api/v1/orders/a%2F..%2Fb/cancel?portfolio=x+y');
  });
});

describe('a call', () => {
  it('carries the token against forgery only where it changes something', async () => {
    const fetched = answer(200, { ok: true });
    csrf.set('secret');
    await call('portfolios');
    await call('clearNotifications');
    const headers = fetched.mock.calls.map(
      ([, init]) => (init as RequestInit).headers as Record<string, string>,
    );
    expect(headers[0]).not.toHaveProperty('x-quorum-csrf');
    expect(headers[1]).toHaveProperty('x-quorum-csrf', 'secret');
  });

  it('turns an error into what happened and what to do', async () => {
    answer(409, { error: { code: 'refused', message: 'it is shut', mend: 'open it' } });
    const refused = await call('portfolios').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ status: 409, code: 'refused', message: 'It is shut.', mend: 'Open it.' });
  });

  it('gives the second confirmation to who asks for it and sends its token', async () => {
    const confirmation = { token: 't', expiresAt: 5, says: 'all' };
    answer(428, { error: { code: 'confirmation-required', message: 'm', mend: 'm' }, confirmation });
    const sent = { body: { reason: 'why' } };
    await expect(call('kill', sent)).rejects.toMatchObject({ status: 428, confirmation });
    const fetched = answer(200, { ok: true });
    await call('kill', sent, { confirm: 't' });
    expect((fetched.mock.calls[0]![1] as RequestInit).headers).toHaveProperty('x-quorum-confirm', 't');
  });

  it('says that the session ended, but not while somebody logs in', async () => {
    answer(401, { error: { code: 'no-session', message: 'm', mend: 'm' } });
    const before = sessionEnded.get();
    await call('logIn', { body: { name: 'a', password: 'b' } }).catch(() => undefined);
    expect(sessionEnded.get()).toBe(before);
    await call('portfolios').catch(() => undefined);
    expect(sessionEnded.get()).toBe(before + 1);
  });

  it('says that nothing answers, and what works nevertheless', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
    await expect(call('portfolios')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });
});
