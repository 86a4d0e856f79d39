import { HOUSE_ROUTES } from './areas/house.ts';
import { MARKET_ROUTES } from './areas/market.ts';
import { MATRIX_ROUTES } from './areas/matrix.ts';
import { SESSION_ROUTES } from './areas/session.ts';
import { SIGMA_ROUTES } from './areas/sigma.ts';
import { THINKING_ROUTES } from './areas/thinking.ts';
import { TRADING_ROUTES } from './areas/trading.ts';
import { WORKSHOP_ROUTES } from './areas/workshop.ts';
import type { RouteId } from './paths.ts';
import type { AnswerOf, RouteShape, Sent } from './route.ts';

/** Every route with its schemas. A path without a shape, or a shape without a path, does not compile. */
export const ROUTES = {
  ...SESSION_ROUTES,
  ...SIGMA_ROUTES,
  ...TRADING_ROUTES,
  ...MARKET_ROUTES,
  ...THINKING_ROUTES,
  ...MATRIX_ROUTES,
  ...WORKSHOP_ROUTES,
  ...HOUSE_ROUTES,
} satisfies Record<RouteId, RouteShape>;

export type Routes = typeof ROUTES;
/** What a call of a route sends and what it answers. */
export type RequestOf<K extends RouteId> = Sent<Routes[K]>;
export type ResponseOf<K extends RouteId> = AnswerOf<Routes[K]>;
