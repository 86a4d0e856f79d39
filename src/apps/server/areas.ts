import type { AnswerOf, Routes, SESSION_ROUTES } from '../contract/index.ts';
import { packageVersion } from '../setup/code-hash.ts';
import { houseHandlers } from './areas/house.ts';
import { marketHandlers } from './areas/market.ts';
import { matrixHandlers } from './areas/matrix.ts';
import { sigmaHandlersWith } from './areas/sigma.ts';
import { thinkingHandlers } from './areas/thinking.ts';
import { tradingHandlers } from './areas/trading.ts';
import { workshopHandlers } from './areas/workshop.ts';
import { Chat } from './chat/chat.ts';
import { draftModel } from './chat/draft-model.ts';
import { readersOf } from './chat/readers.ts';
import type { ConsoleContext, Handlers } from './context.ts';
import { sessionArea } from './identity/index.ts';

type Health = AnswerOf<(typeof SESSION_ROUTES)['health']>;

/** How long a loop may take to say that it is there. */
const THERE_MS = 500;

/** The handlers of every route: one that is missing does not compile. */
export function allHandlers(context: ConsoleContext): Handlers<Routes> {
  const trading = tradingHandlers(context);
  const thinking = thinkingHandlers(context);
  const chat = new Chat({ readers: readersOf({ ...trading, ...thinking }) });
  return {
    ...sessionArea(context, { health: () => health(context) }),
    ...sigmaHandlersWith(context, {
      chat: ({ query, body }, call) => chat.answer(body.message, query.portfolio, call),
      model: draftModel(),
    }),
    ...trading,
    ...marketHandlers(context),
    ...thinking,
    ...matrixHandlers(context),
    ...workshopHandlers(context),
    ...houseHandlers(context),
  };
}

/** Whether loops answer; that this is answered at all says that the server does. */
async function health({ portfolios, now }: ConsoleContext): Promise<Health> {
  const asked = portfolios.names().map(async (name) => {
    const answer = await portfolios.ask(name, { ask: 'heartbeat' }, THERE_MS);
    return { name, running: answer?.ok === true };
  });
  const found = await Promise.all(asked);
  const status = found.some(({ running }) => running) ? 'ok' : 'degraded';
  return { status, version: packageVersion(), time: now(), portfolios: found };
}
