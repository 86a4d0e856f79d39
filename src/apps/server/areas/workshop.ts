import type { WORKSHOP_ROUTES } from '../../contract/areas/workshop.ts';
import { configurationJsonSchema } from '../../setup/configuration.ts';
import { backgroundOf } from '../background.ts';
import { type ConsoleContext, type Handlers, Raw } from '../context.ts';
import { askedOf } from '../data/asking.ts';
import { deskParametersOf, saveDeskParameters, subjectOf } from '../data/desk-parameters.ts';
import { byOf, caller, operate } from '../data/operate.ts';
import { registeredModels } from '../data/registered-models.ts';
import { numberOf, shortDetail, versionsOf } from '../data/versions.ts';
import {
  CONFIGURATION,
  readConfigurationFile,
  saveConfigurationFile,
} from './workshop/configuration-file.ts';
import { deskViews } from './workshop/desks.ts';
import { modelsOf, registeredView } from './workshop/models.ts';
import { compareRuns, passportOf, runDetail, runList } from './workshop/runs.ts';
import { sweepTable } from './workshop/sweeps.ts';

/** Desks and their configuration, research on record, and work in the background. */
export function workshopHandlers(context: ConsoleContext): Handlers<typeof WORKSHOP_ROUTES> {
  const { jobs } = backgroundOf(context);
  const { portfolios, store } = context;
  const folder = process.cwd();
  return {
    desks: async ({ query }) => ({
      items: await deskViews(context, await portfolios.choose(query.portfolio)),
    }),

    startDesk: async ({ params, query, body }, call) => {
      const { portfolio: _, ...done } = await operate(
        context,
        call,
        query.portfolio,
        { action: 'start', desk: params.name },
        body.reason,
      );
      return done;
    },

    stopDesk: async ({ params, query, body }, call) => {
      const { portfolio: _, ...done } = await operate(
        context,
        call,
        query.portfolio,
        { action: 'stop', desk: params.name },
        body.reason,
      );
      return done;
    },

    saveDeskParameters: async ({ params, query, body }, call) => {
      const by = byOf(caller(call));
      const desk = deskParametersOf(context, await portfolios.choose(query.portfolio), params.name);
      const { parameters, reason } = body;
      const differences = await saveDeskParameters(context, desk, {
        parameters,
        reason,
        by,
        address: call.address,
      });
      return { ok: true, differences: [...differences], appliesAt: 'next fresh start' };
    },

    deskHistory: async ({ params, query }) => {
      const desk = deskParametersOf(context, await portfolios.choose(query.portfolio), params.name);
      return versionPage(versionsOf(store, subjectOf(desk.portfolio, desk.name), query));
    },

    configuration: () => {
      const { file, value, hash, locked } = readConfigurationFile(context.configFile, folder);
      return { file, configuration: value, schema: configurationJsonSchema(), hash, locked };
    },

    saveConfiguration: async ({ body }, call) => {
      const by = byOf(caller(call));
      const { file, differences, saved } = saveConfigurationFile(store, context.configFile, folder, {
        ...body,
        by,
      });
      if (saved)
        await context.audit({
          by,
          what: 'configuration',
          reason: body.reason,
          // the journal is for everybody's eyes: values stand in the history, which is for administrators
          detail: shortDetail({ file, changed: differences.map(({ path }) => path) }),
          address: call.address,
        });
      return { ok: true, differences, saved };
    },

    configurationHistory: ({ query }) => versionPage(versionsOf(store, CONFIGURATION, query)),

    runs: ({ query }) => runList(query),
    run: ({ params }) => runDetail(params.id),
    compareRuns: ({ query }) => compareRuns(query.a, query.b),
    sweep: ({ params, query }) => sweepTable(jobs.runFolder(params.id), params.id, query.figure),
    passport: ({ params }) => passportOf(params.hash),

    models: async ({ query }) => {
      const learning = await askedOf(context, await portfolios.choose(query.portfolio), 'learning');
      const { items, error } = registeredModels();
      return {
        items: learning === null ? [] : modelsOf(learning),
        registered: items.map(registeredView).reverse(),
        registryError: error,
      };
    },

    jobs: ({ query }) => {
      const page = jobs.list(query.limit, numberOf(query.cursor));
      return { items: page.jobs, next: page.next === null ? null : String(page.next) };
    },

    job: ({ params }) => jobs.get(params.id),

    startJob: async ({ body }, call) => {
      const by = byOf(caller(call));
      const job = jobs.start(body, by);
      await context.audit({
        by,
        what: 'job-started',
        reason: 'asked for',
        detail: shortDetail({ id: job.id, ...body }),
        address: call.address,
      });
      return job;
    },

    cancelJob: async ({ params }, call) => {
      const by = byOf(caller(call));
      const job = jobs.cancel(params.id, by);
      await context.audit({
        by,
        what: 'job-cancelled',
        reason: 'asked for',
        detail: shortDetail({ id: job.id, kind: job.kind }),
        address: call.address,
      });
      return job;
    },

    jobReport: async ({ params }) =>
      new Raw('text/html; charset=utf-8', Buffer.from(await jobs.report(params.id))),
  };
}

const versionPage = ({ items, next }: ReturnType<typeof versionsOf>) => ({
  items: items.map((version) => ({ ...version, differences: [...version.differences] })),
  next,
});
