import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '#base';
import type { Severity } from '#engine';
import type { Alert } from './alert.ts';
import { alertRulesSchema, type RulesInForce, rulesInForce } from './alert-rules.ts';
import { localTime } from './local-time.ts';
import { acknowledge, close, EMPTY_ROUTER, inQuietHours, type RouterState, route, tick } from './router.ts';

const CHANNELS = [
  { name: 'phone', kind: 'telegram' },
  { name: 'pager', kind: 'pagerduty' },
  { name: 'mail', kind: 'smtp' },
];
const NOON = Date.UTC(2026, 10, 21, 12);
let made = 0;

function alertOf(given: Partial<Alert> = {}): Alert {
  return {
    id: `a-${made++}`,
    verb: 'trigger',
    at: NOON,
    severity: 'warning',
    kind: 'feed',
    subject: 'feed-x',
    portfolio: 'demo',
    desk: null,
    instrument: null,
    title: 't',
    body: '',
    details: {},
    live: true,
    ...given,
  };
}

const rulesOf = (given: unknown): RulesInForce => rulesInForce(alertRulesSchema.parse(given), CHANNELS);
const one = (given: Record<string, unknown>) =>
  rulesOf({ rules: [{ name: 'all', channels: ['phone'], ...given }] });

/** Plays alerts and looks at the time in between; what became of each. */
function play(rules: RulesInForce, script: readonly { at: number; alert?: Alert }[]) {
  let state: RouterState = EMPTY_ROUTER;
  const fate = new Map<string, string[]>();
  const note = (id: string, what: string) => fate.set(id, [...(fate.get(id) ?? []), what]);
  const sends: { at: number; id: string; channels: readonly string[]; why: string }[] = [];
  const digests: { at: number; rule: string; ids: readonly string[] }[] = [];
  for (const { at, alert } of script) {
    if (alert !== undefined) {
      const routed = route(rules, state, alert, at);
      state = routed.state;
      note(alert.id, routed.verdict.is);
      for (const { alertId: id, channels, why } of routed.dispatches) sends.push({ at, id, channels, why });
    }
    const ticked = tick(rules, state, at);
    state = ticked.state;
    for (const { alertId: id, channels, why } of ticked.dispatches) sends.push({ at, id, channels, why });
    for (const { rule, alertIds } of ticked.digests) {
      digests.push({ at, rule, ids: alertIds });
      for (const id of alertIds) note(id, 'digested');
    }
    for (const id of ticked.orphans) note(id, 'orphaned');
  }
  // a state is plain data
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  return { state, fate, sends, digests };
}

describe('a rule', () => {
  it('is the first that matches, and news without a rule is the console’s alone', () => {
    const rules = rulesOf({
      rules: [
        { name: 'mute', match: { portfolio: ['old'] } },
        { name: 'bad', match: { severity: ['critical', 'warning'] }, channels: ['mail'] },
      ],
    });
    const verdict = (alert: Alert) => route(rules, EMPTY_ROUTER, alert, NOON).verdict;
    expect(verdict(alertOf())).toMatchObject({ is: 'sent', rule: 'bad' });
    expect(verdict(alertOf({ portfolio: 'old' }))).toMatchObject({ is: 'noted', rule: 'mute' });
    expect(verdict(alertOf({ severity: 'info' }))).toMatchObject({ is: 'noted', rule: null });
    expect(() => rulesOf({ rules: [{ name: 'x', channels: ['nobody'] }] })).toThrow(/no channel "nobody"/);
    expect(() => rulesOf({ rules: [{ name: 'x' }, { name: 'x' }] })).toThrow(/two rules/);
    expect(alertRulesSchema.safeParse({ rules: [{ name: 'x', quiet: 1 }] }).success).toBe(false);
  });

  it('sends one message for repetitions within the window, another when it gets worse', () => {
    const { fate, sends } = play(one({ dedup: { windowSeconds: 60 } }), [
      { at: NOON, alert: alertOf({ id: 'first' }) },
      { at: NOON + 59_999, alert: alertOf({ id: 'again' }) },
      { at: NOON + 59_999, alert: alertOf({ id: 'worse', severity: 'critical' }) },
      { at: NOON + 59_999, alert: alertOf({ id: 'other', subject: 'feed-y' }) },
      { at: NOON + 60_000, alert: alertOf({ id: 'heavier', severity: 'critical', weight: 1 }) },
      { at: NOON + 120_000, alert: alertOf({ id: 'later', severity: 'critical' }) },
    ]);
    expect(sends.map((s) => s.id)).toEqual(['first', 'worse', 'other', 'heavier', 'later']);
    expect(fate.get('again')).toEqual(['suppressed']);
  });

  it('resolves where it was told, when nothing is open under the key any more', () => {
    const rules = one({ dedup: { key: '{portfolio}/{kind}' }, channels: ['phone', 'pager'] });
    const { sends, state } = play(rules, [
      { at: NOON, alert: alertOf({ id: 'x', subject: 'feed-x' }) },
      { at: NOON, alert: alertOf({ id: 'y', subject: 'feed-y' }) },
      { at: NOON, alert: alertOf({ id: 'x-back', verb: 'resolve', subject: 'feed-x' }) },
      { at: NOON, alert: alertOf({ id: 'y-back', verb: 'resolve', subject: 'feed-y', severity: 'info' }) },
      { at: NOON, alert: alertOf({ id: 'z-back', verb: 'resolve', subject: 'feed-z' }) },
      { at: NOON, alert: alertOf({ id: 'new', subject: 'feed-x' }) },
    ]);
    expect(sends.map((s) => [s.id, s.why, s.channels.length])).toEqual([
      ['x', 'rule', 2],
      ['y-back', 'resolved', 2],
      ['new', 'rule', 2],
    ]);
    expect(Object.keys(state.incidents)).toEqual(['demo/feed']);
  });

  it('escalates step by step until somebody acknowledges', () => {
    const escalation = [
      { afterSeconds: 60, channels: ['mail'] },
      { afterSeconds: 300, channels: ['pager'] },
    ];
    const rules = one({ escalation });
    const script = [
      { at: NOON, alert: alertOf({ id: 'x' }) },
      ...[59, 60, 61, 299, 300, 900].map((s) => ({ at: NOON + s * SECOND })),
    ];
    const { sends, state } = play(rules, script);
    expect(sends.map((s) => [(s.at - NOON) / SECOND, s.channels[0]])).toEqual([
      [0, 'phone'],
      [60, 'mail'],
      [300, 'pager'],
    ]);
    // everybody who was told hears of the end
    const end = route(rules, state, alertOf({ verb: 'resolve' }), NOON + HOUR);
    expect(end.dispatches[0]!.channels).toEqual(['phone', 'mail', 'pager']);
    // an acknowledged one wakes nobody, nor does its repetition; what is worse does
    const open = play(rules, script.slice(0, 3)).state;
    const done = acknowledge(open, 'demo/feed-x')!;
    expect(done.dispatch).toMatchObject({ verb: 'acknowledge', channels: ['phone', 'mail'] });
    expect(acknowledge(done.state, 'demo/feed-x')).toBeNull();
    expect(tick(rules, done.state, NOON + HOUR).dispatches).toEqual([]);
    expect(route(rules, done.state, alertOf(), NOON + HOUR).verdict).toMatchObject({ why: 'acknowledged' });
    const worse = route(rules, done.state, alertOf({ severity: 'critical' }), NOON + HOUR);
    expect(worse.verdict.is).toBe('sent');
    expect(tick(rules, worse.state, NOON + HOUR + 61 * SECOND).dispatches).toHaveLength(1);
    expect(close(done.state, 'demo/feed-x')!.dispatch.verb).toBe('resolve');
  });

  it('keeps quiet by the clock of a place, tells it in the morning, and rings for what breaks through', () => {
    const quietHours = { from: '22:00', to: '07:00', timeZone: 'Asia/Jakarta' };
    const rules = one({ quietHours });
    // Jakarta is seven hours ahead
    const night = Date.UTC(2026, 10, 21, 18);
    const morning = Date.UTC(2026, 10, 22, 0);
    const { fate, digests } = play(rules, [
      { at: night, alert: alertOf({ id: 'quiet', at: night }) },
      { at: night, alert: alertOf({ id: 'fire', at: night, severity: 'critical', subject: 'fire' }) },
      { at: morning - 1 },
      { at: morning },
    ]);
    expect(fate.get('quiet')).toEqual(['held', 'digested']);
    expect(fate.get('fire')).toEqual(['sent']);
    expect(digests).toMatchObject([{ at: morning, ids: ['quiet'] }]);
    // over a change of the clocks
    const zurich = {
      from: '22:00',
      to: '07:00',
      timeZone: 'Europe/Zurich',
      breakThrough: 'critical',
    } as const;
    expect(inQuietHours(Date.UTC(2026, 6, 1, 4, 59), zurich)).toBe(true);
    expect(inQuietHours(Date.UTC(2026, 6, 1, 5), zurich)).toBe(false);
    expect(inQuietHours(Date.UTC(2026, 0, 1, 5, 59), zurich)).toBe(true);
    expect(inQuietHours(Date.UTC(2026, 0, 1, 6), zurich)).toBe(false);
    const day = { ...zurich, from: '12:00', to: '13:00' };
    expect([11, 12, 13].map((h) => inQuietHours(Date.UTC(2026, 0, 1, h - 1), day))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('holds back what is over the limit and tells it once; what is critical passes', () => {
    const rules = rulesOf({
      digestSeconds: 600,
      rules: [
        {
          name: 'all',
          channels: ['phone'],
          dedup: { windowSeconds: 0 },
          rateLimit: { count: 2, perSeconds: 60 },
        },
      ],
    });
    const at = (s: number) => NOON + s * SECOND;
    const { fate, digests, sends } = play(rules, [
      { at: at(0), alert: alertOf({ id: 'a' }) },
      { at: at(1), alert: alertOf({ id: 'b' }) },
      { at: at(2), alert: alertOf({ id: 'c' }) },
      { at: at(3), alert: alertOf({ id: 'fire', severity: 'critical' }) },
      { at: at(30), alert: alertOf({ id: 'd' }) },
      { at: at(601) },
      { at: at(602) },
    ]);
    expect(sends.map((s) => s.id)).toEqual(['a', 'b', 'fire']);
    expect(fate.get('d')).toEqual(['held', 'digested']);
    expect(digests).toMatchObject([{ at: at(602), ids: ['c', 'd'] }]);
  });

  it('does not tell live news of long ago, but whatever is critical and whatever a tape plays', () => {
    const rules = one({});
    const verdict = (given: Partial<Alert>) =>
      route(rules, EMPTY_ROUTER, alertOf({ at: NOON - 2 * HOUR, ...given }), NOON).verdict.is;
    expect(verdict({})).toBe('suppressed');
    expect(verdict({ severity: 'critical' })).toBe('sent');
    expect(verdict({ live: false })).toBe('sent');
  });
});

describe('the daily summary', () => {
  const rules = rulesOf({ summary: { at: '07:30', timeZone: 'Europe/Zurich', channels: ['phone'] } });

  it('comes once a day at its time, whatever the clocks do, and not for a day that was over at the start', () => {
    let state = tick(rules, EMPTY_ROUTER, Date.UTC(2026, 9, 23, 20)).state;
    const days: string[] = [];
    for (let now = Date.UTC(2026, 9, 23, 20); now < Date.UTC(2026, 9, 27); now += 10 * MINUTE) {
      const next = tick(rules, state, now);
      state = next.state;
      if (next.summary === null) continue;
      expect(localTime(now, 'Europe/Zurich').minutes).toBe(7 * 60 + 30);
      days.push(next.summary.day);
    }
    expect(days).toEqual(['2026-10-24', '2026-10-25', '2026-10-26']);
    const early = tick(rules, EMPTY_ROUTER, Date.UTC(2026, 9, 23, 1)).state;
    expect(tick(rules, early, Date.UTC(2026, 9, 23, 5, 30)).summary).toMatchObject({ day: '2026-10-23' });
    // a time that the clocks skip
    const skipped = rulesOf({ summary: { at: '02:30', timeZone: 'Europe/Zurich', channels: ['phone'] } });
    const before = tick(skipped, EMPTY_ROUTER, Date.UTC(2026, 2, 29, 0)).state;
    expect(tick(skipped, before, Date.UTC(2026, 2, 29, 1)).summary).toMatchObject({ day: '2026-03-29' });
  });
});

const severity = fc.constantFrom<Severity>('info', 'warning', 'critical');
const step = fc.record({
  wait: fc.integer({ min: 0, max: 2 * HOUR }),
  alert: fc.option(
    fc.record({
      severity,
      subject: fc.constantFrom('p', 'q', 'r'),
      kind: fc.constantFrom('feed', 'trade'),
      verb: fc.constantFrom<'trigger' | 'resolve'>('trigger', 'trigger', 'resolve'),
      age: fc.integer({ min: 0, max: 3 * HOUR }),
    }),
    { nil: undefined },
  ),
});
const clock = fc.integer({ min: 0, max: 23 }).map((h) => `${String(h).padStart(2, '0')}:00`);
const anyRule = fc.record(
  {
    match: fc.record({ severity: fc.uniqueArray(severity, { minLength: 1 }) }, { requiredKeys: [] }),
    channels: fc.subarray(['phone', 'pager', 'mail']),
    dedup: fc.record({ windowSeconds: fc.constantFrom(0, 60, 3_600) }),
    quietHours: fc.record({ from: clock, to: clock, timeZone: fc.constantFrom('UTC', 'Asia/Jakarta') }),
    rateLimit: fc.record({ count: fc.integer({ min: 1, max: 3 }), perSeconds: fc.constantFrom(60, 7_200) }),
    escalation: fc.array(
      fc.record({ afterSeconds: fc.integer({ min: 1, max: 7_200 }), channels: fc.constant(['mail']) }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['channels'] },
);

describe('whatever the rules are', () => {
  it('every alert ends in exactly one way, in order, and nothing is held for ever', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 3 }), fc.array(step, { maxLength: 40 }), (given, steps) => {
        const rules = rulesOf({ digestSeconds: 60, rules: given.map((r, i) => ({ ...r, name: `r${i}` })) });
        let at = NOON;
        const alerts: Alert[] = [];
        const script = steps.map(({ wait, alert }, i) => {
          at += wait;
          if (alert === undefined) return { at };
          const { age, ...rest } = alert;
          alerts.push(alertOf({ ...rest, id: `s${i}`, at: at - age }));
          return { at, alert: alerts.at(-1)! };
        });
        // two days of looking at the time: every quiet hour is over once, unless it is always quiet
        for (let i = 1; i <= 48; i++) script.push({ at: at + i * HOUR });
        const { fate, sends, digests } = play(rules, script);
        for (const { id } of alerts) {
          const [first, ...more] = fate.get(id)!;
          expect(['sent', 'noted', 'held', 'suppressed']).toContain(first);
          expect(more).toEqual(first === 'held' ? ['digested'] : []);
        }
        const byId = new Map(alerts.map((alert) => [alert.id, alert]));
        for (const { ids } of digests)
          for (const id of ids)
            expect(byId.get(id)!.severity, 'what is critical is never held').not.toBe('critical');
        // no rule sends more than its limit in any span of its length
        for (const rule of rules.rules) {
          const { rateLimit } = rule;
          if (rateLimit === undefined) continue;
          const times = sends
            .filter((s) => s.why === 'rule' && byId.get(s.id)!.severity !== 'critical')
            .filter(
              (s) =>
                rules.rules.find(
                  (r) => !r.match.severity || r.match.severity.includes(byId.get(s.id)!.severity),
                ) === rule,
            )
            .map((s) => s.at);
          for (const [i, time] of times.entries()) {
            const next = times[i + rateLimit.count];
            if (next !== undefined) expect(next - time).toBeGreaterThanOrEqual(rateLimit.perSeconds * SECOND);
          }
        }
      }),
      { numRuns: 150, seed: 20261121 },
    );
  });

  it('an alert of one key is sent at most once in its window unless it got worse or was resolved', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ wait: fc.integer({ min: 0, max: 90 }), severity, back: fc.boolean() }), {
          maxLength: 30,
        }),
        (steps) => {
          const rules = one({ dedup: { windowSeconds: 60 } });
          let at = NOON;
          let last: { at: number; severity: Severity } | null = null;
          const rank = { info: 0, warning: 1, critical: 2 };
          let state: RouterState = EMPTY_ROUTER;
          for (const { wait, severity: now, back } of steps) {
            at += wait * SECOND;
            const alert = alertOf({ at, severity: now, verb: back ? 'resolve' : 'trigger' });
            const routed = route(rules, state, alert, at);
            state = routed.state;
            if (back) {
              expect(routed.dispatches.length).toBe(last === null ? 0 : 1);
              last = null;
              continue;
            }
            const free = last === null || at - last.at >= 60 * SECOND || rank[now] > rank[last.severity];
            expect(routed.verdict.is).toBe(free ? 'sent' : 'suppressed');
            const worst: Severity = last !== null && rank[last.severity] > rank[now] ? last.severity : now;
            if (free) last = { at, severity: worst };
          }
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });
});
