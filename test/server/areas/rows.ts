import { openProjections, type ProjectionStore, type TableName } from '#adapters';

/** An empty database of projections in memory. */
export const emptyRows = (): Promise<ProjectionStore> =>
  openProjections({ file: ':memory:', databaseUrl: null });

let written = 0;

/** Rows of one table, as a projector would have written them. */
export async function write(
  { db }: ProjectionStore,
  table: TableName,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  for (let i = 0; i < rows.length; i += 500) {
    const some = rows.slice(i, i + 500).map((row) => ({ position: written++, ...row }));
    await db
      .insertInto(table)
      .values(some as never)
      .execute();
  }
}
