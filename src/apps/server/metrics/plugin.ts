import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Access, ANYONE, VIEWER } from '../../contract/index.ts';
import { type ConsoleContext, Problem } from '../context.ts';
import { HttpTally } from './http-tally.ts';
import { type MetricsPart, metricsText } from './metrics-text.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricsOptions {
  readonly context: ConsoleContext;
  /** On loopback whoever is on the machine may scrape; elsewhere a token with the scope `read` is needed. */
  readonly isLoopback: boolean;
  readonly parts?: readonly MetricsPart[];
}

/** Serves `GET /metrics` and counts what the server answers. */
export function registerMetrics(
  app: FastifyInstance,
  { context, isLoopback, parts = [] }: MetricsOptions,
): void {
  const http = new HttpTally();
  const text = metricsText(context, http, parts);
  const access: Access = isLoopback ? ANYONE : VIEWER;
  app.addHook('onResponse', async (request, reply) => {
    const { id, route } = request.routeOptions.config as { id?: string; route?: string };
    http.add(id ?? route ?? 'other', request.method, reply.statusCode, reply.elapsedTime / 1_000);
  });
  app.get('/metrics', { config: { access, route: 'metrics' } as object }, async (request, reply) => {
    if (request.who === null && isHandedOn(request))
      throw new Problem(401, 'unauthenticated', 'nobody is logged in', 'send a token with the scope read');
    return reply
      .type(CONTENT_TYPE)
      .header('cache-control', 'no-store')
      .send(await text());
  });
}

/** A proxy on this machine that nobody told us of: whoever stands behind it is not on this machine. */
const isHandedOn = ({ headers }: FastifyRequest): boolean =>
  ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => headers[name] !== undefined);
