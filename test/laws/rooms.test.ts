import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importCircles, readSources, readWeb, roomFaults, webFaults } from '../support/rooms.ts';

const files = readSources(fileURLToPath(new URL('../../src', import.meta.url)));

describe('the room law', () => {
  it('reads a whole tree', () => {
    expect(files.length).toBeGreaterThan(30);
  });

  it('no room imports what it may not, and only the rim touches the world', () => {
    expect(roomFaults(files)).toEqual([]);
  });

  it('no file imports itself round a circle', () => {
    expect(importCircles(files)).toEqual([]);
  });

  it.each([
    ['signals/spy.ts', "import { Ledger } from '#ledger';", 'signals may not import ledger'],
    ['ensemble/spy.ts', "import { Ledger } from '#ledger';", 'ensemble may not import ledger'],
    ['execution/spy.ts', "import type { Signal } from '#signals';", 'execution may not import signals'],
    ['research/spy.ts', "import { connect } from 'node:net';", 'research may not import node:net'],
    ['risk/spy.ts', "export { x } from '../ledger/order.ts';", 'leaves its room'],
    ['engine/spy.ts', 'export const now = () => Date.now();', 'the wall clock'],
    ['base/spy.ts', 'export const x = Math.random();', 'chance without a seed'],
    ['learning/spy.ts', 'export const x = process.env.HOME;', 'the process environment'],
    ['engine/spy.ts', "const x = await import('node:fs');", 'may not import node:fs'],
  ])('finds a planted violation in %s: %s', (path, text, expected) => {
    expect(roomFaults([{ path, text }]).join('\n')).toContain(expected);
  });

  it('finds a planted circle', () => {
    const circle = [
      { path: 'base/a.ts', text: "import { b } from './b.ts';" },
      { path: 'base/b.ts', text: "import { a } from './a.ts';" },
    ];
    expect(importCircles(circle)).toHaveLength(1);
  });
});

describe('the law of the dashboard', () => {
  const web = readWeb(fileURLToPath(new URL('../../web', import.meta.url)));

  it('reads a whole dashboard', () => {
    expect(web.length).toBeGreaterThan(10);
  });

  it('nothing of the program is imported but the wire types', () => {
    expect(webFaults(web)).toEqual([]);
  });

  it.each([
    ['src/pages/spy.tsx', "import { Ledger } from '#ledger';"],
    ['src/pages/spy.tsx', "import { start } from '../../../src/apps/server/server.ts';"],
    ['src/spy.ts', "import { Engine } from '../../src/engine/index.ts';"],
  ])('finds a planted violation in %s: %s', (path, text) => {
    expect(webFaults([{ path, text }])).toHaveLength(1);
  });

  it('lets the wire types in', () => {
    const text = "import type { Role } from '../../src/apps/contract/index.ts';";
    expect(webFaults([{ path: 'src/main.tsx', text }])).toEqual([]);
  });
});
