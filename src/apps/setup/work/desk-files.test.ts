import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { findDesk } from '../load-desk.ts';
import { deskSchema, placeDesk, shipDesk } from './desk-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-desk-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const DESK = `// import { ghost } from './ghost.mjs';
/* import 'nothing' */
import { join } from 'node:path';
import { name } from '../lib/name.mjs';
const text = "from './not-there.mjs'";
const schema = { safeParse: (data) => ({ success: true, data }) };
export default { name, summary: join('a', text), parameters: schema, build: () => ({}) };
`;

describe('a desk on its way to another machine', () => {
  it('is the text of its file and of what that imports, and loads there as it does here', async () => {
    const path = write('desks/mine.mjs', DESK);
    write('lib/name.mjs', "export { name } from './deeper/word.mjs';\n");
    write('lib/deeper/word.mjs', "export const name = 'travels';\n");
    const desk = shipDesk(path);
    expect(desk).toMatchObject({ kind: 'files', entry: 'desks/mine.mjs', type: null });
    if (desk.kind !== 'files') return;
    expect(desk.files.map((file) => file.path)).toEqual([
      'desks/mine.mjs',
      'lib/deeper/word.mjs',
      'lib/name.mjs',
    ]);
    const there = placeDesk(deskSchema.parse(JSON.parse(JSON.stringify(desk))), join(folder, 'cache'));
    const [here, found] = [await findDesk(path), await findDesk(there)];
    expect(found.definition.name).toBe('travels');
    expect(found.sourceHash).toBe(here.sourceHash);
    // a file in the cache that was cut off is written again, without touching what another worker is writing
    writeFileSync(there, 'cut off');
    writeFileSync(`${there}.part`, 'begun');
    expect(placeDesk(desk, join(folder, 'cache'))).toBe(there);
    expect(readFileSync(there, 'utf8')).toBe(DESK);
    expect(readFileSync(`${there}.part`, 'utf8')).toBe('begun');
    // what it imports decides as well
    write('lib/deeper/word.mjs', "export const name = 'changed';\n");
    expect((await findDesk(path)).sourceHash).not.toBe(here.sourceHash);
  });

  it('is a name where it is built in', () => {
    expect(shipDesk('sigma')).toEqual({ kind: 'built-in', name: 'sigma' });
    expect(placeDesk({ kind: 'built-in', name: 'sigma' }, 'nowhere')).toBe('sigma');
  });

  it.each(['./desk.mjs', '/tmp/desk.mjs', 'toString', ''])('is no built-in one for the name %s', (name) => {
    expect(deskSchema.safeParse({ kind: 'built-in', name }).success).toBe(false);
  });

  it('takes the module type of its package along', () => {
    write('typed/package.json', '{"type":"commonjs"}');
    expect(shipDesk(write('typed/desk.js', 'module.exports = 1;\n'))).toMatchObject({ type: 'commonjs' });
  });

  it.each(["import x from 'left-pad';", "export * from '@scope/thing';", "await import('left-pad/sub');"])(
    'stays here when it needs a package: %s',
    (line) => {
      const path = write('needs.mjs', `${line}\n${DESK}`);
      expect(() => shipDesk(path)).toThrow(InputError);
      expect(() => shipDesk(path)).toThrow(/imports "(left-pad|@scope\/thing)/);
    },
  );

  it('stays here when it imports files of the program', () => {
    const program = fileURLToPath(new URL('../../../', import.meta.url));
    const path = write('inner.mjs', `import '${relative(folder, join(program, 'base/index.ts'))}';\n${DESK}`);
    expect(() => shipDesk(path)).toThrow(/imports ".*base\/index\.ts"/);
  });

  it.each([
    '../out.mjs',
    '/etc/passwd',
    'a/../../b.mjs',
    'a\\b.mjs',
    './a.mjs',
    '.hidden',
    'a//b',
    'a/.ssh/b',
    '',
  ])('is not written outside its folder: %s', (path) => {
    const files = [{ path, text: '' }];
    expect(deskSchema.safeParse({ kind: 'files', entry: path, files, type: null }).success).toBe(false);
  });
});
