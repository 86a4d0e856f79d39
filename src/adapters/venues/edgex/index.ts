export { armingPhrase, LiveArming } from '../arming.ts';
export { type AccountStreamOptions, EdgexAccountStream } from './account-stream.ts';
export { EDGEX, type EdgexContract, type EdgexDirectory } from './contracts.ts';
export { EdgexFeed, type EdgexFeedOptions } from './edgex-feed.ts';
export { type EdgexCredentials, EdgexRest, type EdgexRestOptions } from './edgex-rest.ts';
export { EdgexTrading, type EdgexTradingOptions, type Handed } from './edgex-trading.ts';
export { OrderSigner } from './order-signature.ts';
