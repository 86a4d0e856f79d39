export { Chat, type ChatAnswer, type ChatOptions } from './chat.ts';
export { draftModel } from './draft-model.ts';
export { READ_ROUTES, type Readers, readersOf } from './readers.ts';
