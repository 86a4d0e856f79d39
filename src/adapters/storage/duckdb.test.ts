import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('takes times with a zone for what they are, whatever zone the machine is in', () => {
  const module = fileURLToPath(new URL('./duckdb.ts', import.meta.url));
  const code = `
    const { withDuckdb } = await import(${JSON.stringify(module)});
    const sql = "select epoch_ms('2023-12-31 19:00:00-05'::TIMESTAMPTZ::TIMESTAMP) as at";
    const at = await withDuckdb(async (connection) => (await connection.runAndReadAll(sql)).getRows()[0][0]);
    process.stdout.write(String(at));`;
  const env = { ...process.env, TZ: 'America/New_York' };
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' });
  expect(Number(told)).toBe(Date.UTC(2024, 0, 1));
});
