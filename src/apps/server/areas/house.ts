import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LOG_NAMES } from '#adapters';
import { InputError } from '#base';
import type { AlertDesk } from '../../alerts/alert-desk.ts';
import { type AlertRules, alertRulesSchema } from '../../alerts/alert-rules.ts';
import type { HOUSE_ROUTES } from '../../contract/areas/house.ts';
import { backgroundOf } from '../background.ts';
import { type ConsoleContext, type Handlers, Problem } from '../context.ts';
import { askedOf } from '../data/asking.ts';
import { JournalFacts } from '../data/journal-facts.ts';
import { byOf, caller } from '../data/operate.ts';
import { numberOf, shortDetail } from '../data/versions.ts';
import { alertView, deliveryView, standingNamed } from './house/alert-views.ts';
import { journalPage } from './house/journal-view.ts';
import { logPage } from './house/log-tail.ts';
import { systemView } from './house/system-view.ts';

/** The house itself: its journal, alerts, logs, schedule, and how server and loop stand. */
export function houseHandlers(context: ConsoleContext): Handlers<typeof HOUSE_ROUTES> {
  const background = backgroundOf(context);
  const { portfolios } = context;
  const facts = new JournalFacts();
  const noJournal = () =>
    new Problem(
      503,
      'unreachable',
      'the journal cannot be read',
      'check that its file is there; quorum journal tells more',
    );
  return {
    journalHead: async ({ query }) => {
      const folder = portfolios.folder(await portfolios.choose(query.portfolio));
      const length = await background.journalOf(folder).length();
      if (length === null) throw noJournal();
      return { ...length, run: facts.header(folder)?.runId ?? '' };
    },

    journal: async ({ query }) => {
      const folder = portfolios.folder(await portfolios.choose(query.portfolio));
      const page = await journalPage(background.journalOf(folder), query);
      if (page === null) throw noJournal();
      return page;
    },

    alertRules: () => {
      const { alerts } = background;
      const schema = z.toJSONSchema(alertRulesSchema, { io: 'input', unrepresentable: 'any' });
      if (alerts === null) return { rules: {}, schema, channels: [] };
      const channels = alerts.channels.map(({ name, kind, ...rest }) => ({
        name,
        kind,
        ready: kind !== 'absent',
        why: 'reason' in rest ? String(rest.reason) : null,
      }));
      return { rules: { ...alerts.rules().rules }, schema, channels };
    },

    saveAlertRules: async ({ body }, call) => {
      const desk = alertDesk(background.alerts);
      const rules = readRules(body.rules);
      const before = desk.rules().rules;
      desk.setRules(rules);
      await context.audit({
        by: byOf(caller(call)),
        what: 'alert-rules',
        reason: body.reason,
        detail: shortDetail({ before, after: rules }),
        address: call.address,
      });
      return { ok: true };
    },

    alerts: ({ query }) => {
      const { alerts } = background;
      if (alerts === null) return { items: [], next: null };
      const standing = query.state === undefined ? null : standingNamed(query.state);
      if (query.state !== undefined && standing === null)
        throw new InputError(
          `state: there is no "${query.state}"`,
          'choose open, acknowledged, resolved or suppressed',
        );
      const rows = alerts.alerts({
        ...(standing === null ? {} : { standing }),
        ...(query.severity === undefined ? {} : { severity: query.severity }),
        ...(query.portfolio === undefined ? {} : { portfolio: query.portfolio }),
        ...before(query.cursor),
        limit: query.limit + 1,
      });
      const shown = rows.slice(0, query.limit);
      return {
        items: shown.map(alertView),
        next: rows.length > shown.length ? String(shown.at(-1)!.seq) : null,
      };
    },

    alertDeliveries: ({ query }) => {
      const { alerts } = background;
      if (alerts === null) return { items: [], next: null };
      const rows = alerts.deliveries({
        ...(query.alert === undefined ? {} : { alertId: query.alert }),
        ...before(query.cursor),
        limit: query.limit + 1,
      });
      const shown = rows.slice(0, query.limit);
      return {
        items: shown.map(deliveryView),
        next: rows.length > shown.length ? String(shown.at(-1)!.id) : null,
      };
    },

    acknowledgeAlert: async ({ params, body }, call) => {
      const by = byOf(caller(call));
      const row = alertDesk(background.alerts).acknowledge(params.id, by);
      if (row === null)
        throw new Problem(
          404,
          'not-found',
          `there is no alert ${params.id.slice(0, 60)}`,
          'see the list of alerts',
        );
      await context.audit({
        by,
        what: 'alert-acknowledged',
        reason: body.reason ?? 'acknowledged',
        detail: row.title,
        address: call.address,
        ...(row.portfolio === null ? {} : { portfolio: row.portfolio }),
      });
      return { ok: true };
    },

    testAlert: async ({ body }, call) => {
      const desk = alertDesk(background.alerts);
      const { channel } = body;
      if (channel !== undefined && !desk.channels.some(({ name }) => name === channel))
        throw new InputError(
          `channel: there is no "${channel.slice(0, 60)}"`,
          `there are ${desk.channels.map(({ name }) => name).join(', ') || 'none'}`,
        );
      const by = byOf(caller(call));
      const id = desk.test(by, channel ?? null);
      await context.audit({
        by,
        what: 'alert-test',
        reason: 'a test',
        detail: channel ?? 'all channels',
        address: call.address,
      });
      return { ok: true, id };
    },

    system: async ({ query }) => {
      // a console without a portfolio still says how it stands itself
      const names = portfolios.names();
      const metrics =
        names.length === 0
          ? null
          : await askedOf(context, await portfolios.choose(query.portfolio), 'metrics');
      return systemView(context, background, metrics);
    },

    schedule: () => {
      const summary = background.alerts?.rules().rules.summary;
      const items = background.schedule.list();
      if (summary === undefined) return { items };
      const when = `${summary.at} ${summary.timeZone}, to ${summary.channels.join(', ')}`;
      return {
        items: [...items, { name: 'daily summary', when, nextAt: null, lastAt: null, lastError: null }],
      };
    },

    logs: async ({ query }) => {
      const { name } = query;
      if (name === 'program') return logPage(join(context.dataDir, 'quorum.log'), query);
      if (name === 'server') return logPage(join(context.dataDir, 'server.log'), query);
      const folder = portfolios.folder(await portfolios.choose(query.portfolio));
      const path = join(folder, 'logs', `${LOG_NAMES.find((one) => one === name)!}.jsonl`);
      return existsSync(folder) ? logPage(path, query) : { items: [], next: null };
    },
  };
}

const before = (cursor: string | undefined) => {
  const number = numberOf(cursor);
  return number === null ? {} : { before: number };
};

function alertDesk(desk: AlertDesk | null): AlertDesk {
  if (desk !== null) return desk;
  throw new Problem(
    503,
    'unreachable',
    'alerts are not running',
    'start the server with quorum start or quorum serve',
  );
}

/** Throws {@link InputError} naming the first key that is wrong. */
function readRules(value: unknown): AlertRules {
  const result = alertRulesSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(
    `rules.${issue!.path.join('.')}: ${issue!.message}`,
    'the schema beside the rules describes all',
  );
}
