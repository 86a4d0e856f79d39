/** One change of a schema. In order, never edited once released: a changed table is a further migration. */
export interface Migration {
  /** 1, 2, 3, ... within its area. */
  readonly version: number;
  readonly name: string;
  /** One or more SQL statements, run in one transaction with what is noted about them. */
  readonly sql: string;
}

/** Tables that one part of the server owns. */
export interface MigrationArea {
  /** Lower case, such as `identity` or `jobs`; the name is kept in the file and never changes. */
  readonly area: string;
  readonly migrations: readonly Migration[];
}
