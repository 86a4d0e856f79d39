import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JsonlLog, LOG_NAMES, openLogs, readJsonlLog } from './jsonl-log.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'));
  path = join(directory, 'x.jsonl');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('JsonlLog', () => {
  it('has each line in the file when write returns, and goes on after reopening', () => {
    const log = new JsonlLog(path, { sync: true });
    log.write({ a: 1, text: 'line\nbreak' });
    expect(readFileSync(path, 'utf8')).toBe('{"a":1,"text":"line\\nbreak"}\n');
    log.close();
    const again = new JsonlLog(path);
    again.write([2]);
    again.close();
    expect(readJsonlLog(path)).toEqual([{ a: 1, text: 'line\nbreak' }, [2]]);
  });

  it('cuts the half line of a crash, wherever it ends', () => {
    for (const half of ['{"b":', 'x'.repeat(200_000)]) {
      const log = new JsonlLog(path);
      log.write({ a: 1 });
      log.close();
      appendFileSync(path, half);
      expect(readJsonlLog(path).at(-1)).toEqual({ a: 1 });
      const again = new JsonlLog(path);
      again.write({ c: 3 });
      again.close();
      expect(readJsonlLog(path).slice(-2)).toEqual([{ a: 1 }, { c: 3 }]);
    }
    rmSync(path);
    appendFileSync(path, '{"only half');
    new JsonlLog(path).close();
    expect(readJsonlLog(path)).toEqual([]);
  });

  for (const mode of ['line', 'buffered'] as const) {
    it(`stays below its size and keeps the youngest files (${mode})`, () => {
      const log = new JsonlLog(path, { maxBytes: 100, keep: 2, mode });
      for (let i = 0; i < 50; i++) log.write({ line: i });
      log.close();
      expect(readdirSync(directory)).toEqual(['x.jsonl', 'x.jsonl.1', 'x.jsonl.2']);
      for (const name of readdirSync(directory)) {
        expect(readFileSync(join(directory, name)).length).toBeLessThanOrEqual(100);
      }
      const lines = readJsonlLog(path) as { line: number }[];
      expect(lines.at(-1)).toEqual({ line: 49 });
      expect(lines.map((l) => l.line)).toEqual(lines.map((_, i) => 50 - lines.length + i));
      expect(lines.length).toBeGreaterThan(14);
    });
  }

  it('keeps none, and writes a line longer than the limit into a file of its own', () => {
    const log = new JsonlLog(path, { maxBytes: 20, keep: 0 });
    log.write('a');
    log.write('long '.repeat(20));
    expect(readJsonlLog(path)).toEqual(['long '.repeat(20)]);
    log.write('b');
    log.close();
    expect(readJsonlLog(path)).toEqual(['b']);
    expect(readdirSync(directory)).toEqual(['x.jsonl']);
  });

  it('opens the four logs of the platform', () => {
    const logs = openLogs(directory, { mode: 'buffered' });
    for (const name of LOG_NAMES) logs[name].write({ name });
    expect(readFileSync(join(directory, 'pnl_tracking.jsonl'), 'utf8')).toBe('');
    for (const name of LOG_NAMES) logs[name].close();
    expect(readdirSync(directory)).toEqual(LOG_NAMES.map((name) => `${name}.jsonl`).sort());
    expect(readJsonlLog(join(directory, 'safety_violations.jsonl'))).toEqual([{ name: 'safety_violations' }]);
  });
});
