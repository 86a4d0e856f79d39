import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const PROMTOOL = '/usr/bin/promtool';
const isPresent = existsSync(PROMTOOL);
if (!isPresent) process.stdout.write('skipped: rules tried by promtool (install prometheus)\n');

const RULES = fileURLToPath(new URL('../../ops/prometheus/quorum.rules.yml', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'quorum-rules-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const labels = (desk: string) => ({ portfolio: 's1', desk, instrument: 'BTCUSDT.X', interval: '1m' });
type Labels = Readonly<Record<string, string>>;
const quoted = (of: Labels) =>
  Object.entries(of)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
const series = (name: string, of: Labels, value: number) => ({
  series: `${name}{${quoted(of)}}`,
  values: `${value}x120`,
});

/** Whether a rule fires after two hours of the same values, by the real evaluator. Its annotations are not compared. */
function fires(rule: string, input: readonly ReturnType<typeof series>[]): boolean {
  const file = join(root, 'try.yml');
  const test = {
    rule_files: [RULES],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: input,
        alert_rule_test: [{ eval_time: '110m', alertname: rule, exp_alerts: [] }],
      },
    ],
  };
  // JSON is YAML too
  writeFileSync(file, JSON.stringify(test));
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['test', 'rules', file], { encoding: 'utf8' });
  const said = `${stdout}${stderr}`;
  if (status === 0) return false;
  expect(said).toContain(`alertname: ${rule}`);
  expect(said).not.toMatch(/error|parse/i);
  return true;
}

const DAY_S = 86_400;
const A = labels('s1-rx68-btc-1m');
const feeds = (old: number) =>
  Array.from({ length: 6 }, (_, i) => [
    series('quorum_bar_age_seconds', labels(`d${i}`), i < old ? 181 : 180),
    series('quorum_bar_interval_seconds', labels(`d${i}`), 60),
  ]).flat();

describe.skipIf(!isPresent)('alert rules of configs, by promtool', () => {
  it.each([
    ['QuorumModelStale', 'at fourteen days', [series('quorum_model_age_seconds', A, 14 * DAY_S)], false],
    ['QuorumModelStale', 'a second later', [series('quorum_model_age_seconds', A, 14 * DAY_S + 1)], true],
    ['QuorumModelOld', 'at thirteen days', [series('quorum_model_age_seconds', A, 13 * DAY_S)], true],
    ['QuorumModelOld', 'when stale already', [series('quorum_model_age_seconds', A, 15 * DAY_S)], false],
    ['QuorumModelMissing', 'without one', [series('quorum_model_usable', A, 0)], true],
    ['QuorumParityDrift', 'at 1 bp', [series('quorum_parity_mean_bp', A, 1)], false],
    ['QuorumParityDrift', 'above it', [series('quorum_parity_mean_bp', A, 1.01)], true],
    ['QuorumParityDrift', 'while unknown', [series('quorum_parity_bars', A, 0)], false],
    ['QuorumScalerDrift', 'while drifted', [series('quorum_model_inputs_drifted', A, 1)], true],
    ['QuorumScalerDrift', 'while not', [series('quorum_model_inputs_drifted', A, 0)], false],
    ['QuorumFeedsOld', 'on three configs', feeds(3), false],
    ['QuorumFeedsOld', 'on four', feeds(4), true],
    [
      'QuorumKillSwitchTripped',
      'while tripped',
      [series('quorum_kill_switch_tripped', { portfolio: 's1', switch: 's1', kind: 'group' }, 1)],
      true,
    ],
  ] as const)('%s %s', (rule, _, input, expected) => {
    expect(fires(rule, input)).toBe(expected);
  });

  it.each([
    [0.07, false, false],
    [0.08, true, false],
    [0.1, true, false],
    [0.1001, false, true],
  ])('a fall of %s of a band of 10 %%: near %s, breach %s', (fall, near, breach) => {
    const input = [
      series('quorum_desk_drawdown_ratio', A, fall),
      series('quorum_desk_drawdown_limit_ratio', A, 0.1),
      // another config with a wider band is not meant
      series('quorum_desk_drawdown_ratio', labels('other'), 0.01),
      series('quorum_desk_drawdown_limit_ratio', labels('other'), 0.2),
    ];
    expect(fires('QuorumDeskDrawdownNear', input)).toBe(near);
    expect(fires('QuorumDeskDrawdownBreach', input)).toBe(breach);
  });
});
