import { z } from 'zod';

/** A number as the venue writes it: decimal text. */
const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'is no decimal text');
const id = z.string().regex(/^\d+$/, 'is no id');
/** A resolution: whole units for one, as `0xf4240` or `1000000`. */
const resolution = z.string().regex(/^(0x[0-9a-fA-F]+|\d+)$/, 'is no resolution');
const instant = z.union([z.string().regex(/^\d{10,16}$/), z.number()]).transform(Number);

export const envelope = z.object({
  code: z.string(),
  data: z.unknown(),
  msg: z.string().nullish(),
  traceId: z.string().nullish(),
});

const tier = z.object({
  positionValueUpperBound: z.string(),
  maxLeverage: decimal,
  maintenanceMarginRate: decimal,
});

export const contract = z.object({
  contractId: id,
  contractName: z.string().min(1),
  baseCoinId: id,
  quoteCoinId: id,
  tickSize: decimal,
  stepSize: decimal,
  minOrderSize: decimal,
  maxOrderSize: decimal.nullish(),
  defaultTakerFeeRate: decimal,
  defaultMakerFeeRate: decimal,
  riskTierList: z.array(tier),
  fundingRateIntervalMin: z.union([z.string(), z.number()]).transform(Number),
  resolution,
  enableTrade: z.boolean(),
  enableOpenPosition: z.boolean().nullish(),
  isStock: z.boolean().nullish(),
});
export type Contract = z.output<typeof contract>;

/** A contract of which more cannot be read: it must not take the others with it. */
const unreadContract = z.object({ contractName: z.string().min(1) });

const coin = z.object({ coinId: id, coinName: z.string().min(1), resolution });

export const metadata = z.object({
  global: z.object({
    chainId: z.union([z.string(), z.number()]).nullish(),
    nativeChainId: z.union([z.string(), z.number()]).nullish(),
    contractAddress: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  }),
  coinList: z
    .array(z.unknown())
    .transform((rows) => rows.map((row) => coin.safeParse(row).data).filter((row) => row !== undefined)),
  contractList: z.array(z.union([contract, unreadContract])),
});
export type Metadata = z.output<typeof metadata>;

export const kline = z.object({
  contractId: id,
  klineType: z.string(),
  klineTime: instant,
  open: decimal,
  high: decimal,
  low: decimal,
  close: decimal,
  size: decimal,
});
export type Kline = z.output<typeof kline>;

/** Paged answers; an empty offset ends them. */
export const page = <T extends z.ZodType>(row: T) =>
  z.object({ dataList: z.array(row), nextPageOffsetData: z.string().nullish() });

export const ticker = z.object({
  contractId: id,
  lastPrice: decimal,
  indexPrice: decimal,
  oraclePrice: decimal,
  fundingRate: decimal,
  fundingTime: instant,
  nextFundingTime: instant,
});
export type Ticker = z.output<typeof ticker>;

export const fundingRate = z.object({
  contractId: id,
  fundingTime: instant,
  fundingRate: decimal,
  oraclePrice: decimal.nullish(),
});
export type FundingRate = z.output<typeof fundingRate>;

const level = z.object({ price: decimal, size: decimal });
export const depth = z.object({
  contractId: id,
  startVersion: z.string(),
  endVersion: z.string(),
  asks: z.array(level),
  bids: z.array(level),
  depthType: z.enum(['SNAPSHOT', 'CHANGED']),
});
export type Depth = z.output<typeof depth>;

export const serverTime = z.object({ timeMillis: instant });

export const ORDER_STATUSES = ['PENDING', 'OPEN', 'FILLED', 'CANCELING', 'CANCELED', 'UNTRIGGERED'] as const;

export const order = z.object({
  id: id.optional(),
  orderId: id.optional(),
  clientOrderId: z.string(),
  contractId: id,
  status: z.enum(ORDER_STATUSES),
  size: decimal,
  cumFillSize: decimal.nullish(),
  cancelReason: z.string().nullish(),
});
export type Order = z.output<typeof order>;

export const fillTransaction = z.object({
  id,
  orderId: id,
  orderClientOrderId: z.string().nullish(),
  clientOrderId: z.string().nullish(),
  contractId: id,
  orderSide: z.enum(['BUY', 'SELL']).optional(),
  side: z.enum(['BUY', 'SELL']).optional(),
  fillSize: decimal,
  fillPrice: decimal,
  fillFee: decimal,
  direction: z.string().nullish(),
  isLiquidate: z.boolean().nullish(),
  isDeleverage: z.boolean().nullish(),
  createdTime: instant,
});
export type FillTransaction = z.output<typeof fillTransaction>;

export const position = z.object({ contractId: id, openSize: decimal });
export type Position = z.output<typeof position>;

export const accountAsset = z.object({
  positionList: z.array(position),
  collateralAssetModelList: z
    .array(
      z.object({
        coinId: id,
        totalEquity: decimal.optional(),
        availableAmount: decimal.optional(),
        availableBalance: decimal.optional(),
      }),
    )
    .default([]),
});
export type AccountAsset = z.output<typeof accountAsset>;

export const createdOrder = z.object({ orderId: id });
export const cancelResult = z.object({ cancelResultMap: z.record(z.string(), z.string()) });

/** What comes over either socket. */
export const socketMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping'), time: z.union([z.string(), z.number()]) }),
  z.object({ type: z.literal('subscribed'), channel: z.string() }),
  z.object({ type: z.literal('connected') }),
  z.object({
    type: z.literal('error'),
    content: z.object({ code: z.string().nullish(), msg: z.string().nullish() }).nullish(),
  }),
  z.object({
    type: z.literal('quote-event'),
    channel: z.string(),
    content: z.object({
      channel: z.string().nullish(),
      dataType: z.string(),
      data: z.array(z.unknown()),
    }),
  }),
  z.object({
    type: z.literal('trade-event'),
    content: z.object({
      event: z.string(),
      version: z.string().nullish(),
      data: z.object({
        position: z.array(position).default([]),
        order: z.array(order).default([]),
        orderFillTransaction: z.array(fillTransaction).default([]),
      }),
    }),
  }),
]);
export type SocketMessage = z.output<typeof socketMessage>;
