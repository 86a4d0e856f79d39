import { describe, expect, it } from 'vitest';
import { AnswerCache } from '../../src/apps/server/answer-cache.ts';

const made = (length: number) => async () => ({ text: 'x'.repeat(length), etag: 'W/"x"' });

describe('answers that are kept for a moment', () => {
  it('keeps at most some megabytes of them, whatever is asked', async () => {
    const cache = new AnswerCache(() => 0);
    let calls = 0;
    const counted = (length: number) => async () => {
      calls += 1;
      return made(length)();
    };
    for (let i = 0; i < 100; i++) await cache.of(`q ${i}`, counted(400 * 1024));
    expect(calls).toBe(100);
    // those of the beginning have gone, those of the end are there
    await cache.of('q 99', counted(1));
    expect(calls).toBe(100);
    await cache.of('q 0', counted(1));
    expect(calls).toBe(101);
  });

  it('gives an answer again only while it is young and nothing was changed', async () => {
    let now = 0;
    const cache = new AnswerCache(() => now);
    let n = 0;
    const ask = () => cache.of('q', async () => ({ text: String(n++), etag: '' }));
    expect([(await ask()).text, (await ask()).text]).toEqual(['0', '0']);
    now = 250;
    expect((await ask()).text).toBe('1');
    cache.clear();
    expect((await ask()).text).toBe('2');
  });
});
