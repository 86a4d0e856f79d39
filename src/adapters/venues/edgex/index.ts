export { armingPhrase, LiveArming } from '../arming.ts';
export { type AccountStreamOptions, EdgexAccountStream } from './account-stream.ts';
export type { EdgexContract, EdgexDirectory } from './contracts.ts';
export { EdgexBars } from './edgex-bars.ts';
export { EdgexFeed } from './edgex-feed.ts';
export type { EdgexFeedOptions } from './edgex-feed-options.ts';
export { type EdgexCredentials, EdgexRest, type EdgexRestOptions } from './edgex-rest.ts';
export { EdgexTrading, type EdgexTradingOptions, type Handed } from './edgex-trading.ts';
export { OrderSigner } from './order-signature.ts';
