import fastifyWebsocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { VIEWER } from '../../contract/index.ts';
import type { Portfolios } from '../context.ts';
import { Problem } from '../context.ts';
import { permission } from '../identity/index.ts';
import { CLOSE, type LiveHub } from './live-hub.ts';

/** Where live clients connect. */
export const LIVE_PATH = '/ws/live-feed';

const query = z.object({
  portfolio: z.string().min(1).max(500).optional(),
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  run: z.string().max(100).optional(),
});

/** Clients have nothing to say here. */
const MESSAGE_BYTES = 4 * 1024;

/**
 * The live feed. What is wrong with a request is said by the code the connection ends with, since pages cannot read the
 * answer to a WebSocket that is refused.
 */
export async function registerLive(
  app: FastifyInstance,
  hub: LiveHub,
  portfolios: Portfolios,
): Promise<void> {
  await app.register(fastifyWebsocket, {
    options: { maxPayload: MESSAGE_BYTES, perMessageDeflate: false },
    preClose: () => hub.close(),
  });
  app.get(LIVE_PATH, { websocket: true, config: { access: 'anyone' } }, async (socket, request) => {
    // the gate has found out who it is and whether the page is one of ours
    const { who } = request;
    const verdict = permission(who, VIEWER);
    if (who === null || !verdict.allowed)
      return socket.close(who === null ? CLOSE.unauthenticated : CLOSE.forbidden, 'log in first');
    if (who.mustChange) return socket.close(CLOSE.forbidden, 'choose a password first');
    const asked = query.safeParse(request.query);
    if (!asked.success) return socket.close(CLOSE.badInput, 'portfolio, after and run are what can be asked');
    const { portfolio, after = null, run = null } = asked.data;
    try {
      hub.connect(socket, who, { portfolio: await portfolios.choose(portfolio), after, run });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      socket.close(CLOSE.notFound, error.message.slice(0, 100));
    }
  });
}
