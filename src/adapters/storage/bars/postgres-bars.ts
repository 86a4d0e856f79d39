import { Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Instant } from '#base';
import type { Bar } from '#market';
import { postgresDialect } from '../postgres-dialect.ts';
import { type DifferenceRow, differenceRow, gapsBetween, keyOf, sortBars } from './bar-accounts.ts';
import type { BarDifference, BarGap, BarStore, Insertion, NewBar, StoredBar } from './bar-store.ts';
import { setUpTables } from './postgres-tables.ts';

type Db = Kysely<unknown>;
type Tx = Transaction<unknown>;

/** timestamptz as epoch ms: exact, since both are decimal there. */
const ms = (column: string): RawBuilder<unknown> => sql.raw(`(extract(epoch from ${column}) * 1000)::bigint`);

const COLUMNS = sql`config_id as config, ${ms('time')} as time, symbol, interval_ms as "intervalMs", open, high, low,
  close, volume, source, ${ms('received_at')} as "receivedAt", late, missing_before as "missingBefore", volume_unknown as "volumeUnknown", pine, seq`;

type Row = Omit<StoredBar, 'volumeUnknown'> & { readonly volumeUnknown: boolean | null };

const asBar = ({ volumeUnknown, ...bar }: Row): StoredBar => ({
  ...bar,
  ...(volumeUnknown === true ? { volumeUnknown } : {}),
});

const instant = (at: Instant): RawBuilder<unknown> => sql`${new Date(at).toISOString()}::timestamptz`;
const instants = (list: readonly Instant[]): string[] => list.map((at) => new Date(at).toISOString());

/**
 * Bars in PostgreSQL. Whoever puts bars in holds the row of the counter until it has committed, so numbers follow the
 * commits: a reader that has seen one has seen all before it.
 */
export class PostgresBars implements BarStore {
  readonly kind = 'postgres';
  readonly id: string;
  readonly notes: readonly string[];
  private readonly db: Db;

  private constructor(db: Db, { id, notes }: { readonly id: string; readonly notes: readonly string[] }) {
    this.db = db;
    this.id = id;
    this.notes = notes;
  }

  /** Connects and sets up what is missing. Rejects with the driver's error when the server cannot be reached. */
  static async open(url: string): Promise<PostgresBars> {
    const db = new Kysely<unknown>({ dialect: postgresDialect(url) });
    try {
      return new PostgresBars(db, await setUpTables(db));
    } catch (error) {
      await db.destroy();
      throw error;
    }
  }

  insert(bars: readonly NewBar[], at: Instant): Promise<readonly Insertion[]> {
    if (bars.length === 0) return Promise.resolve([]);
    return this.db.transaction().execute(async (tx) => {
      const counter = await sql<{ last: number }>`select last from bar_sequence for update`.execute(tx);
      const { last } = counter.rows[0]!;
      const configs = bars.map((bar) => bar.config);
      const times = instants(bars.map((bar) => bar.time));
      const there = await sql<Row>`select ${COLUMNS} from bars where (config_id, time) in
        (select * from unnest(${configs}::text[], ${times}::timestamptz[]))`.execute(tx);
      const known = new Map(there.rows.map((row) => [keyOf(row.config, row.time), asBar(row)]));
      const { outcomes, fresh, differences } = sortBars(bars, known, last, at);
      if (fresh.length > 0) {
        await insertBars(tx, fresh);
        await sql`update bar_sequence set last = ${last + fresh.length}`.execute(tx);
      }
      for (const row of differences) await keepDifference(tx, row);
      return outcomes;
    });
  }

  async noteDifference(other: NewBar, kept: Bar, at: Instant): Promise<void> {
    await keepDifference(this.db, differenceRow(other, kept, at));
  }

  async readFrom(
    seq: number,
    limit: number,
    configs: readonly string[] | null,
  ): Promise<readonly StoredBar[]> {
    const some = configs === null ? sql`` : sql`and config_id = any(${[...configs]}::text[])`;
    const { rows } = await sql<Row>`
      select ${COLUMNS} from bars where seq > ${seq} ${some} order by seq limit ${limit}`.execute(this.db);
    return rows.map(asBar);
  }

  async readRange(config: string, from: Instant, to: Instant): Promise<readonly StoredBar[]> {
    const { rows } = await sql<Row>`select ${COLUMNS} from bars where config_id = ${config}
      and bars.time >= ${instant(from)} and bars.time < ${instant(to)} order by bars.time`.execute(this.db);
    return rows.map(asBar);
  }

  async newest(config: string, count: number, before: Instant): Promise<readonly StoredBar[]> {
    const { rows } = await sql<Row>`select ${COLUMNS} from bars where config_id = ${config}
      and bars.time < ${instant(before)} order by bars.time desc limit ${count}`.execute(this.db);
    return rows.map(asBar).reverse();
  }

  async lastBar(config: string): Promise<StoredBar | null> {
    const { rows } = await sql<Row>`select ${COLUMNS} from bars where config_id = ${config}
      order by bars.time desc limit 1`.execute(this.db);
    return rows[0] === undefined ? null : asBar(rows[0]);
  }

  async gaps(config: string, intervalMs: number, from: Instant, to: Instant): Promise<readonly BarGap[]> {
    const { rows } = await sql<{ time: number }>`select ${ms('time')} as time from bars
      where config_id = ${config} and bars.time >= ${instant(from)} and bars.time < ${instant(to)}
      order by bars.time`.execute(this.db);
    return gapsBetween(
      rows.map((row) => row.time),
      intervalMs,
      from,
      to,
    );
  }

  async lastSeq(): Promise<number> {
    const { rows } = await sql<{ last: number }>`select last from bar_sequence`.execute(this.db);
    return rows[0]!.last;
  }

  async differences(config: string | null, limit: number): Promise<readonly BarDifference[]> {
    const some = config === null ? sql`` : sql`where config_id = ${config}`;
    const { rows } =
      await sql<BarDifference>`select config_id as config, ${ms('time')} as time, ${ms('at')} as at,
      seen, source, bps, other from bar_differences ${some}
      order by bar_differences.at desc, config_id, bar_differences.time desc limit ${limit}`.execute(this.db);
    return rows;
  }

  async retain(before: Instant): Promise<number> {
    await sql`delete from bar_differences where time < ${instant(before)}`.execute(this.db);
    const { numAffectedRows } = await sql`delete from bars where time < ${instant(before)}`.execute(this.db);
    return Number(numAffectedRows ?? 0n);
  }

  async spend(name: string, amount: number, most: number): Promise<boolean> {
    if (amount > most) return false;
    const { numAffectedRows } = await sql`insert into ingest_counters as c values (${name}, ${amount})
      on conflict (name) do update set used = c.used + ${amount} where c.used + ${amount} <= ${most}`.execute(
      this.db,
    );
    return numAffectedRows === 1n;
  }

  async forgetSpent(prefix: string, name: string): Promise<void> {
    await sql`delete from ingest_counters where name collate "C" >= ${prefix} and name collate "C" < ${name}`.execute(
      this.db,
    );
  }

  async lease(name: string, holder: string, at: Instant, until: Instant): Promise<boolean> {
    const { numAffectedRows } =
      await sql`insert into ingest_leases as l values (${name}, ${holder}, ${instant(until)})
      on conflict (name) do update set holder = excluded.holder, until = excluded.until
      where l.holder = excluded.holder or l.until <= ${instant(at)}`.execute(this.db);
    return numAffectedRows === 1n;
  }

  async release(name: string, holder: string): Promise<void> {
    await sql`delete from ingest_leases where name = ${name} and holder = ${holder}`.execute(this.db);
  }

  close(): Promise<void> {
    return this.db.destroy();
  }
}

async function insertBars(tx: Tx, bars: readonly StoredBar[]): Promise<void> {
  const column = <K extends keyof StoredBar>(name: K): StoredBar[K][] => bars.map((bar) => bar[name]);
  await sql`insert into bars (config_id, time, symbol, interval_ms, open, high, low, close, volume, source, received_at,
      late, missing_before, pine, seq, volume_unknown)
    select * from unnest(${column('config')}::text[], ${instants(column('time'))}::timestamptz[],
      ${column('symbol')}::text[], ${column('intervalMs')}::integer[], ${column('open')}::double precision[],
      ${column('high')}::double precision[], ${column('low')}::double precision[],
      ${column('close')}::double precision[], ${column('volume')}::double precision[], ${column('source')}::text[],
      ${instants(column('receivedAt'))}::timestamptz[], ${column('late')}::boolean[],
      ${column('missingBefore')}::integer[], ${column('pine')}::text[], ${column('seq')}::bigint[],
      ${column('volumeUnknown').map((it) => it ?? null)}::boolean[])`.execute(tx);
}

async function keepDifference(db: Db | Tx, row: DifferenceRow): Promise<void> {
  const { config, time, source, digest, at, bps, other } = row;
  await sql`insert into bar_differences as d values
    (${config}, ${instant(time)}, ${source}, ${digest}, ${instant(at)}, 1, ${bps}, ${other})
    on conflict (config_id, time, source, digest) do update set seen = d.seen + 1`.execute(db);
}
