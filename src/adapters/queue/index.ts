export { giveWork, WorkGiver, type WorkOfItems, type WorkToGive } from './give-work.ts';
export { type Piece, PieceCache, Shipment } from './pieces.ts';
export { type RedisAddress, RedisLink, readRedisAddress } from './redis-link.ts';
export { clearQueues, WorkTaker, type WorkToTake } from './take-work.ts';
export { WorkBoard, type WorkDocument, type WorkerCard, workIdOf } from './work-board.ts';
