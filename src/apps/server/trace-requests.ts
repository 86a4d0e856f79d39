import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ControlAnswer, ControlRequest } from '../runner/control.ts';
import { type SpanAttributes, type SpanPlace, traceparentOf } from '../traces/spans.ts';
import type { Span, Traces } from '../traces/traces.ts';

type OperatorQuestion = Extract<ControlRequest, { ask: 'operator' }>;

/**
 * Requests as traces: method, pattern of the route, status, time. Not the address, since reports and streams have tokens in
 * it; not who asked. A trace begins here: whatever a client calls its own is not taken up, or whoever knocks could have all
 * of it kept.
 */
export class RequestTraces {
  private readonly traces: Traces;
  private readonly open = new WeakMap<IncomingMessage, Span>();

  constructor(traces: Traces) {
    this.traces = traces;
  }

  /** Registers the hooks; before anything that may answer. */
  register(app: FastifyInstance): void {
    app.addHook('onRequest', async ({ raw, method, routeOptions }) => {
      const route = routeOptions.url;
      const name = route === undefined ? method : `${method} ${route}`;
      this.open.set(raw, this.traces.begin(name, 'server', null));
    });
    app.addHook('onResponse', async ({ raw, method, routeOptions }, { statusCode }) => {
      const attributes: SpanAttributes = {
        'http.request.method': method,
        'http.response.status_code': statusCode,
        ...(routeOptions.url === undefined ? {} : { 'http.route': routeOptions.url }),
      };
      this.open.get(raw)?.end(attributes, { failed: statusCode >= 500 });
      this.open.delete(raw);
    });
  }

  /** Where the trace of a request is; null for one that has been answered. */
  placeOf({ raw }: FastifyRequest): SpanPlace | null {
    return this.open.get(raw)?.place ?? null;
  }

  /** An act on its way to a loop and back. The loop goes on in the trace of the act. */
  async act(
    portfolio: string,
    { act }: OperatorQuestion,
    parent: SpanPlace | null,
    send: (traceparent: string) => Promise<ControlAnswer | null>,
  ): Promise<ControlAnswer | null> {
    const span = this.traces.begin(`operator ${act.action}`, 'client', parent);
    const told = (outcome: string) =>
      span.end(
        { 'quorum.portfolio': portfolio, 'quorum.act': act.action, 'quorum.act.outcome': outcome },
        { failed: outcome === 'failed' },
      );
    try {
      const answer = await send(traceparentOf(span.place));
      told(answer === null ? 'failed' : answer.ok ? 'done' : 'refused');
      return answer;
    } catch (error) {
      told('failed');
      throw error;
    }
  }
}
