import type { Generated } from 'kysely';

export type DatabaseKind = 'sqlite' | 'postgres';

/** How a column is stored and read: decimals as text (exact), instants as epoch ms, floats for statistics only. */
export type ColumnType = 'text' | 'decimal' | 'instant' | 'count' | 'float' | 'json';

/**
 * The queryable tables. Each also has `id` (primary key) and `position` (journal position of the entry that wrote the
 * row last). All other columns may be null: an entry writes the columns it knows, a later one adds to them.
 */
export const TABLES = {
  trades: {
    at: 'instant',
    opened_at: 'instant',
    portfolio: 'text',
    desk: 'text',
    book: 'text',
    instrument: 'text',
    side: 'text',
    quantity: 'decimal',
    entry_price: 'decimal',
    exit_price: 'decimal',
    realised: 'decimal',
    fees: 'decimal',
    funding: 'decimal',
    currency: 'text',
    regime: 'text',
    reason: 'text',
  },
  signals: {
    at: 'instant',
    portfolio: 'text',
    desk: 'text',
    instrument: 'text',
    source: 'text',
    kind: 'text',
    direction: 'text',
    score: 'float',
    probability: 'float',
    horizon_ms: 'count',
    outcome: 'text',
    reason: 'text',
  },
  strategies: {
    at: 'instant',
    portfolio: 'text',
    desk: 'text',
    name: 'text',
    state: 'text',
    version: 'text',
    configuration: 'json',
  },
  performance_snapshots: {
    at: 'instant',
    portfolio: 'text',
    desk: 'text',
    currency: 'text',
    equity: 'decimal',
    cash: 'decimal',
    realised: 'decimal',
    unrealised: 'decimal',
    fees: 'decimal',
    funding: 'decimal',
    expectancy: 'decimal',
    trades: 'count',
    win_rate: 'float',
    payoff: 'float',
    sharpe: 'float',
    max_drawdown: 'float',
  },
  breaker_events: {
    at: 'instant',
    portfolio: 'text',
    desk: 'text',
    from_level: 'text',
    to_level: 'text',
    issue: 'text',
    severity: 'text',
    reason: 'text',
  },
  notifications: {
    at: 'instant',
    portfolio: 'text',
    severity: 'text',
    kind: 'text',
    title: 'text',
    body: 'text',
    read_at: 'instant',
    deleted_at: 'instant',
  },
  orders: {
    at: 'instant',
    updated_at: 'instant',
    portfolio: 'text',
    desk: 'text',
    book: 'text',
    instrument: 'text',
    venue: 'text',
    venue_order_id: 'text',
    side: 'text',
    type: 'text',
    time_in_force: 'text',
    quantity: 'decimal',
    price: 'decimal',
    stop_price: 'decimal',
    filled: 'decimal',
    average_price: 'decimal',
    state: 'text',
    reason: 'text',
  },
  fills: {
    at: 'instant',
    order_id: 'text',
    portfolio: 'text',
    desk: 'text',
    book: 'text',
    instrument: 'text',
    side: 'text',
    quantity: 'decimal',
    price: 'decimal',
    fee: 'decimal',
    currency: 'text',
    liquidity: 'text',
    reason: 'text',
  },
  decisions: {
    at: 'instant',
    portfolio: 'text',
    desk: 'text',
    instrument: 'text',
    action: 'text',
    confidence: 'float',
    outcome: 'text',
    reason: 'text',
    trace: 'json',
  },
  /** Every bar the loop saw, by `instrument/interval_ms/open time`; `at` is the open time. */
  bars: {
    at: 'instant',
    instrument: 'text',
    interval_ms: 'count',
    open: 'float',
    high: 'float',
    low: 'float',
    close: 'float',
    volume: 'float',
  },
  /** The curve: at most one sample a slice. */
  equity: {
    at: 'instant',
    portfolio: 'text',
    equity: 'decimal',
    drawdown: 'float',
  },
  /** Everything that people and programs with rights did; `by` is a word of SQL and must be quoted there. */
  operator_acts: {
    at: 'instant',
    portfolio: 'text',
    by: 'text',
    action: 'text',
    reason: 'text',
    detail: 'json',
  },
} as const satisfies Record<string, Record<string, ColumnType>>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

type ValueOf<C> = C extends 'instant' | 'count' | 'float' ? number : string;
type ColumnsOf<T extends TableName> = {
  [K in keyof (typeof TABLES)[T]]: ValueOf<(typeof TABLES)[T][K]> | null;
};

/** A whole row as read. */
export type TableRow<T extends TableName> = { id: string; position: number } & ColumnsOf<T>;

/** What a journal entry writes: the row with this id gets these columns, new or not. */
export type ProjectionRow = {
  [T in TableName]: {
    readonly table: T;
    readonly row: { readonly id: string } & Readonly<Partial<ColumnsOf<T>>>;
  };
}[TableName];

type Stored<T extends TableName> = { id: string; position: number } & {
  [K in keyof ColumnsOf<T>]: Generated<ColumnsOf<T>[K]>;
};

/** The database as kysely sees it. */
export type ProjectionDatabase = { [T in TableName]: Stored<T> } & {
  projection_position: {
    name: string;
    /** Identity of the journal the rows come from, such as the hash of its first block. */
    journal: string;
    /** The first journal position not yet applied. */
    next_position: number;
  };
  quorum_schema: { version: number; name: string; applied_at: number };
};
