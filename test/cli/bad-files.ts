import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { HEADER, runCli, SMA, START, type Workplace, waveCsv } from './run-cli.ts';

/** A copy of a run's folder beside it. */
export function copyRun(run: string, name: string): string {
  const dir = join(dirname(run), name);
  mkdirSync(dir);
  for (const file of readdirSync(run)) copyFileSync(join(run, file), join(dir, file));
  return dir;
}

function damage(dir: string, change: (bytes: Buffer) => Buffer): void {
  const path = join(dir, 'journal');
  writeFileSync(path, change(readFileSync(path)));
}

/** A good run, and everything that can be wrong with what a person hands in. */
export async function writeBadFiles(place: Workplace): Promise<void> {
  const p = (name: string) => place.path(name);
  place.write('GOOD-1h.csv', waveCsv(300));
  const made = await runCli('backtest', SMA, '--bars', p('GOOD-1h.csv'), '--out', p('run'));
  expect(made.stderr).not.toContain('error');
  expect(made.code).toBe(0);
  const good = waveCsv(60);
  place.write('HEADER-1h.csv', good.replace(HEADER, 'when,o,h,l,c,v'));
  place.write('EMPTY-1h.csv', '');
  place.write('NOROWS-1h.csv', `${HEADER}\n`);
  place.write(
    'NAN-1h.csv',
    waveCsv(60, (row, i) => (i === 30 ? [row[0]!, 'NaN', ...row.slice(2)] : row)),
  );
  place.write(
    'WORD-1h.csv',
    waveCsv(60, (row, i) => (i === 7 ? [...row.slice(0, 4), 'ten', row[5]!] : row)),
  );
  place.write(
    'HIGHLOW-1h.csv',
    waveCsv(60, ([t, o, h, l, c, v]) => [t!, o!, l!, h!, c!, v!]),
  );
  place.write('CUT-1h.csv.gz', gzipSync(good).subarray(0, 400));
  place.write('FALSE-1h.csv.gz', good);
  place.write('UNSORTED-1h.csv', [HEADER, ...good.trim().split('\n').slice(1).reverse()].join('\n'));
  place.write(
    'NEGATIVE-1h.csv',
    waveCsv(60, (row) => [row[0]!, ...row.slice(1, 5).map((x) => `-${x}`), '1']),
  );
  place.write('BINARY-1h.csv', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 37) % 251)));
  place.write(
    'SECONDS-1h.csv',
    waveCsv(60, (row) => [String(Number(row[0]) / 1000), ...row.slice(1)]),
  );
  place.write('FIELDS-1h.csv', `${good}${START + 60 * 3_600_000},1,2\n`);
  place.write(
    'OTHER-1h.csv',
    waveCsv(60, (row, i) => (i === 7 ? [...row.slice(0, 5), '7'] : row)),
  );
  place.write('FUNDING.csv', `time,rate\n${START},0.0001\n${START + 28_800_000},0.0001\n`);
  place.write('PARQUET.parquet', 'this is no Parquet file');
  place.write(
    'UNIVERSE.csv',
    `symbol,${HEADER}\nA,${START},1,1,1,1,1\nB,${START},1,1,1,1,1\nB,${START + 3600000},1,1,1,1,1\n`,
  );
  place.write('BTCUSDT-1h.csv', waveCsv(60));
  place.write('BBCA.IDX-1h.csv', waveCsv(60));
  place.write('no-default.mjs', 'export const desk = 1;\n');
  place.write('syntax.mjs', 'export default {{{;\n');
  place.write('throws.mjs', "throw new Error('made to fail');\n");
  place.write(
    'breaks.mjs',
    `const schema = { safeParse: (data) => ({ success: true, data }) };
export default { name: 'breaks', summary: '', parameters: schema, build: () => { throw new TypeError('no such part'); } };
`,
  );
  place.write(
    'no-sizer.mjs',
    `const schema = { safeParse: (data) => ({ success: true, data }) };
const source = { kind: 'local', name: 's', features: {}, state: () => null, signal: () => null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling: { pool: () => null }, sizer: {} });
export default { name: 'no-sizer', summary: '', parameters: schema, build };
`,
  );
  const desks = [{ desk: 'sample' }];
  const configuration = (portfolio: object, rest = {}) =>
    JSON.stringify({ portfolios: { mine: { base: 'USD', feed: 'sample', desks, ...portfolio } }, ...rest });
  place.write('key.json', configuration({ desks: [{ desk: 'sample', paramters: {} }] }));
  place.write('parameter.json', configuration({ desks: [{ desk: 'sample', parameters: { barss: 3 } }] }));
  place.write('feed.json', configuration({ feed: 'smple' }));
  place.write('cash.json', configuration({ cash: -4 }));
  place.write('currency.json', configuration({ base: 'EUR' }));
  place.write('secret.json', configuration({}, { databaseUrlEnv: 'postgres://me:hidden@host/db' }));
  place.write(
    'name.json',
    JSON.stringify({ portfolios: { '../up': { base: 'USD', feed: 'sample', desks } } }),
  );
  place.write('half.json', '{ "portfolios": ');
  place.write('false-backup.gz', gzipSync('{"format":"something"}\n'));
  place.write(
    'outside.gz',
    gzipSync('{"format":"quorum-backup","version":1}\n{"path":"../../owned","bytes":1}\nx{"sha256":""}\n'),
  );
  mkdirSync(p('folder'));
  mkdirSync(p('mine'));
  place.write('mine/notes.txt', 'keep me');
  mkdirSync(p('taken'));
  place.write('taken/desk.ts', '// mine');
  damage(copyRun(p('run'), 'flipped'), (bytes) => {
    const copy = Buffer.from(bytes);
    copy[Math.floor(copy.length / 2)]! ^= 1;
    return copy;
  });
  damage(copyRun(p('run'), 'cut-journal'), (bytes) => bytes.subarray(0, bytes.length - 40));
  damage(copyRun(p('run'), 'no-bytes'), () => Buffer.alloc(0));
  writeFileSync(join(copyRun(p('run'), 'inputs-broken'), 'inputs.json'), '{ "bars": [');
  writeFileSync(
    join(copyRun(p('run'), 'inputs-other'), 'inputs.json'),
    readFileSync(join(p('run'), 'inputs.json'), 'utf8').replace('GOOD-1h.csv', 'BTCUSDT-1h.csv'),
  );
  writeFileSync(
    join(copyRun(p('run'), 'bad-trace'), 'decisions.jsonl'),
    '{"type":"decision","at":1}\n{broken\n',
  );
  chmodSync(p('folder'), 0o755);
}
