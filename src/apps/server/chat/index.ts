import type { SIGMA_ROUTES } from '../../contract/areas/sigma.ts';
import type { Handlers } from '../context.ts';
import { Chat, type ChatOptions } from './chat.ts';

export { Chat, type ChatAnswer, type ChatOptions } from './chat.ts';
export { draftModel } from './draft-model.ts';
export { READ_ROUTES, type Readers, readersOf } from './readers.ts';

/** The handler of `POST /api/chat` over the readers of other areas. */
export function chatHandler(options: ChatOptions): Handlers<typeof SIGMA_ROUTES>['chat'] {
  const chat = new Chat(options);
  return ({ query, body }, call) => chat.answer(body.message, query.portfolio, call);
}
