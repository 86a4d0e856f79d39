import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { InputError } from '#base';

const VERSION = 2;
/** Any number that all programs share which set this schema up, so that two of them wait for each other. */
const SETUP_LOCK = 7_136_502_282;

const TABLES = [
  `create table if not exists bars (
    config_id text not null,
    time timestamptz not null,
    symbol text not null,
    interval_ms integer not null,
    open double precision not null,
    high double precision not null,
    low double precision not null,
    close double precision not null,
    volume double precision not null,
    source text not null,
    received_at timestamptz not null,
    late boolean not null,
    missing_before integer not null,
    pine text,
    seq bigint not null,
    primary key (config_id, time)
  )`,
  // a hypertable takes no unique index without its time: the counter row below keeps numbers apart
  'create index if not exists bars_by_seq on bars (seq)',
  'create table if not exists bar_sequence (one integer primary key check (one = 1), last bigint not null)',
  'insert into bar_sequence values (1, 0) on conflict do nothing',
  `create table if not exists bar_differences (
    config_id text not null,
    time timestamptz not null,
    source text not null,
    digest text not null,
    at timestamptz not null,
    seen integer not null,
    bps double precision not null,
    other text not null,
    primary key (config_id, time, source, digest)
  )`,
  'create index if not exists bar_differences_by_time on bar_differences (at)',
  'create table if not exists ingest_counters (name text primary key, used double precision not null)',
  'create table if not exists ingest_leases (name text primary key, holder text not null, until timestamptz not null)',
];

/** What later versions added, the first from 1 to 2. */
const ADDED = [
  [
    'create table if not exists bar_store (one integer primary key check (one = 1), id text not null)',
    // without a default: a compressed hypertable takes no other new column
    'alter table bars add column if not exists volume_unknown boolean',
  ],
];

/** Minutes of the bars that are made of one-minute bars for whoever reads the database. */
const ROLLUPS = [3, 5, 15] as const;

type Db = Kysely<unknown>;

/**
 * Makes the tables, and what TimescaleDB adds where it is: a hypertable, compression and continuous aggregates. Returns the
 * store's id and what was set up in words. Throws {@link InputError} when a newer program made the tables.
 */
export async function setUpTables(db: Db): Promise<{ readonly id: string; readonly notes: string[] }> {
  const isNew = await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${SETUP_LOCK})`.execute(tx);
    await sql`create table if not exists bar_schema (version integer primary key)`.execute(tx);
    const { rows } = await sql<{ version: number }>`select version from bar_schema`.execute(tx);
    const version = rows[0]?.version ?? 0;
    if (version > VERSION)
      throw new InputError(
        `the store of bars has schema ${version}, this program knows up to ${VERSION}`,
        'use the newer program, or give this one a database of its own',
      );
    if (version === VERSION) return false;
    const added = ADDED.slice(Math.max(1, version) - 1).flat();
    const statements = version === 0 ? [...TABLES, ...added] : added;
    for (const statement of statements) await sql.raw(statement).execute(tx);
    const id = randomBytes(8).toString('hex');
    await sql`insert into bar_store values (1, ${id}) on conflict do nothing`.execute(tx);
    await sql`delete from bar_schema`.execute(tx);
    await sql`insert into bar_schema values (${VERSION})`.execute(tx);
    return version === 0;
  });
  const { rows } = await sql<{ id: string }>`select id from bar_store`.execute(db);
  return { id: rows[0]!.id, notes: await addTimescale(db, isNew) };
}

async function addTimescale(db: Db, isNew: boolean): Promise<string[]> {
  const version = await timescaleVersion(db);
  if (version === null) {
    const note = isNew ? await attempt(db, plainRollups(), 'views of longer bars') : null;
    return ['plain tables: TimescaleDB is not installed in this database', ...(note === null ? [] : [note])];
  }
  const { rows } = await sql`
    select 1 from timescaledb_information.hypertables where hypertable_name = 'bars'`.execute(db);
  if (rows.length > 0) return [`TimescaleDB ${version}`];
  const notes = [`TimescaleDB ${version}`];
  for (const { name, statements } of timescaleSteps()) {
    const note = await attempt(db, statements, name);
    if (note !== null) notes.push(note);
  }
  return notes;
}

/** The version of the extension, which is made where the server has it ready; null without. */
async function timescaleVersion(db: Db): Promise<string | null> {
  const installed = async () => {
    const { rows } = await sql<{ extversion: string }>`
      select extversion from pg_extension where extname = 'timescaledb'`.execute(db);
    return rows[0]?.extversion ?? null;
  };
  const known = await installed();
  if (known !== null) return known;
  const { rows } = await sql`
    select 1 from pg_available_extensions where name = 'timescaledb'`.execute(db);
  if (rows.length === 0) return null;
  await attempt(db, ['create extension if not exists timescaledb'], 'the extension');
  return installed();
}

/** Runs statements of which the tables work without; what stood in the way, in words. */
async function attempt(db: Db, statements: readonly string[], name: string): Promise<string | null> {
  try {
    // not in a transaction: TimescaleDB forbids it for some of them
    for (const statement of statements) await sql.raw(statement).execute(db);
    return null;
  } catch (error) {
    return `without ${name}: ${(error as Error).message.split('\n')[0]}`;
  }
}

const NAMES = 'config_id, symbol, bucket, open, high, low, close, volume';

/**
 * What makes the plain tables a hypertable with compression and continuous aggregates. Compression and aggregates are parts
 * of the community licence: each step may fail by itself.
 */
export function timescaleSteps(): readonly {
  readonly name: string;
  readonly statements: readonly string[];
}[] {
  return [
    {
      name: 'the hypertable',
      statements: [
        ...ROLLUPS.map((minutes) => `drop view if exists bars_${minutes}m`),
        "select create_hypertable('bars', 'time', chunk_time_interval => interval '7 days', migrate_data => true, if_not_exists => true)",
      ],
    },
    {
      name: 'compression',
      statements: [
        "alter table bars set (timescaledb.compress, timescaledb.compress_segmentby = 'config_id', timescaledb.compress_orderby = 'time desc')",
        "select add_compression_policy('bars', interval '30 days', if_not_exists => true)",
      ],
    },
    {
      name: 'continuous aggregates',
      statements: ROLLUPS.flatMap((minutes) => [
        `create materialized view if not exists bars_${minutes}m
          with (timescaledb.continuous, timescaledb.materialized_only = false) as
          select config_id, symbol, time_bucket(interval '${minutes} minutes', time) as bucket,
            first(open, time) as open, max(high) as high, min(low) as low, last(close, time) as close, sum(volume) as volume
          from bars where interval_ms = 60000 group by config_id, symbol, time_bucket(interval '${minutes} minutes', time)
          with no data`,
        `select add_continuous_aggregate_policy('bars_${minutes}m', start_offset => interval '1 day',
          end_offset => interval '1 minute', schedule_interval => interval '1 minute', if_not_exists => true)`,
      ]),
    },
  ];
}

/** The same names without the extension: reckoned when they are read. */
function plainRollups(): string[] {
  return ROLLUPS.map((minutes) => {
    const bucket = `date_bin(interval '${minutes} minutes', time, timestamptz '1970-01-01 00:00:00+00')`;
    return `create or replace view bars_${minutes}m (${NAMES}) as
      select config_id, symbol, ${bucket}, (array_agg(open order by time))[1], max(high), min(low),
        (array_agg(close order by time desc))[1], sum(volume)
      from bars where interval_ms = 60000 group by config_id, symbol, ${bucket}`;
  });
}
