import { z } from 'zod';
import { InputError } from '#base';
import { isTimeZone } from './local-time.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;
const name = z.string().regex(NAME, 'use lower-case letters, digits and hyphens, at most 31 of them');
const severity = z.enum(['info', 'warning', 'critical']);
const word = z.string().min(1).max(100);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'give a time as 07:30');
const timeZone = z
  .string()
  .refine(isTimeZone, 'give a time zone such as UTC, Asia/Jakarta or Europe/Zurich')
  .default('UTC');
const seconds = (most: number) => z.int().min(0).max(most);
const DAY_S = 86_400;

const match = z
  .strictObject({
    severity: z.array(severity).min(1).optional(),
    kind: z
      .array(word)
      .min(1)
      .optional()
      .describe('breaker, operator, trade, fill, order, feed, watchdog, ...'),
    portfolio: z.array(word).min(1).optional(),
    desk: z.array(word).min(1).optional(),
  })
  .describe('every condition given must hold; no condition matches all');

const rule = z.strictObject({
  name,
  match: match.default({}),
  channels: z.array(name).max(20).default([]).describe('names of channels; none: the console only'),
  dedup: z
    .strictObject({
      key: z
        .string()
        .min(1)
        .max(200)
        .regex(/^(?:[^{}]|\{(?:portfolio|desk|instrument|kind|subject)\})+$/, 'unknown word in braces')
        .default('{portfolio}/{subject}')
        .describe(
          'alerts with the same key are one incident; {portfolio} {desk} {instrument} {kind} {subject}',
        ),
      windowSeconds: seconds(30 * DAY_S)
        .default(300)
        .describe('repetitions within it are not sent'),
    })
    .prefault({}),
  quietHours: z
    .strictObject({
      from: clock,
      to: clock,
      timeZone,
      breakThrough: z
        .enum(['warning', 'critical'])
        .default('critical')
        .describe('from this severity on it rings'),
    })
    .optional(),
  rateLimit: z
    .strictObject({
      count: z.int().min(1).max(1_000),
      perSeconds: seconds(DAY_S).min(1).default(3_600),
      critical: z.enum(['exempt', 'limited']).default('exempt'),
    })
    .optional()
    .describe('what is over it is held back and comes as one digest'),
  escalation: z
    .array(
      z.strictObject({ afterSeconds: seconds(7 * DAY_S).min(1), channels: z.array(name).min(1).max(20) }),
    )
    .max(10)
    .default([])
    .describe('who is told next while nobody has acknowledged; seconds since the first alert'),
});

/** Who is told what, when and how often. The first rule that matches decides. */
export const alertRulesSchema = z.strictObject({
  rules: z
    .array(rule)
    .max(100)
    .optional()
    .describe('the first that matches decides; sensible ones unless given'),
  fallback: z
    .array(name)
    .max(20)
    .optional()
    .describe('who is told when a channel keeps failing; all channels in order unless given'),
  digestSeconds: seconds(DAY_S)
    .min(1)
    .default(900)
    .describe('how long what a rate limit held back is gathered'),
  staleSeconds: seconds(30 * DAY_S)
    .min(1)
    .default(3_600)
    .describe('live alerts below critical that are older when they come are not sent'),
  expireSeconds: seconds(30 * DAY_S)
    .min(60)
    .default(DAY_S)
    .describe('news that no channel took for so long is given up; warnings and worse never'),
  summary: z
    .strictObject({ at: clock, timeZone, channels: z.array(name).min(1).max(20) })
    .optional()
    .describe('one message a day about every portfolio'),
});

export type AlertRules = z.output<typeof alertRulesSchema>;
export type AlertRule = z.output<typeof rule>;
export type QuietHours = NonNullable<AlertRule['quietHours']>;

/** Rules as they are followed: no part is left out. */
export interface RulesInForce extends AlertRules {
  readonly rules: AlertRule[];
  readonly fallback: string[];
}

const fresh = (one: z.input<typeof rule>): AlertRule => rule.parse(one);

/** Rules for those who write none: pagers get what is critical, mail what is wrong, chats the trades as well. */
export function defaultRules(
  channels: readonly { readonly name: string; readonly kind: string }[],
): AlertRule[] {
  const all = channels.map((c) => c.name);
  const without = (...kinds: string[]) => channels.filter((c) => !kinds.includes(c.kind)).map((c) => c.name);
  return [
    fresh({ name: 'critical', match: { severity: ['critical'] }, channels: all }),
    fresh({
      name: 'warning',
      match: { severity: ['warning'] },
      channels: without('pagerduty'),
      dedup: { windowSeconds: 900 },
      rateLimit: { count: 20 },
    }),
    fresh({
      name: 'trades',
      match: { kind: ['trade', 'fill', 'operator', 'edge'] },
      channels: without('pagerduty', 'smtp'),
      dedup: { windowSeconds: 0 },
      rateLimit: { count: 30 },
    }),
    fresh({ name: 'other', dedup: { windowSeconds: 0 } }),
  ];
}

/** Fills in what was left out and checks that every name is a channel. Throws {@link InputError}. */
export function rulesInForce(
  given: AlertRules,
  channels: readonly { readonly name: string; readonly kind: string }[],
  where = 'alerts',
): RulesInForce {
  const names = channels.map((c) => c.name);
  const rules = given.rules ?? defaultRules(channels);
  const fallback = given.fallback ?? names;
  const used: [string, readonly string[]][] = [
    ['fallback', fallback],
    ['summary.channels', given.summary?.channels ?? []],
    ...rules.flatMap((one): [string, readonly string[]][] => [
      [`rules.${one.name}.channels`, one.channels],
      ...one.escalation.map((step): [string, readonly string[]] => [
        `rules.${one.name}.escalation`,
        step.channels,
      ]),
    ]),
  ];
  for (const [path, list] of used) {
    const unknown = list.find((one) => !names.includes(one));
    if (unknown === undefined) continue;
    throw new InputError(
      `${where}: ${path}: there is no channel "${unknown}"`,
      names.length === 0 ? 'describe it under alerts.channels' : `channels are ${names.join(', ')}`,
    );
  }
  const twice = rules.find((one, i) => rules.findIndex((other) => other.name === one.name) !== i);
  if (twice !== undefined)
    throw new InputError(`${where}: two rules are called "${twice.name}"`, 'give each its own name');
  return { ...given, rules, fallback };
}
