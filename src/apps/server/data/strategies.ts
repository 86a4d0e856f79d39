import type { z } from 'zod';
import { canonicalJson } from '#base';
import type { strategy } from '../../contract/areas/sigma.ts';
import { Problem } from '../context.ts';
import type { ConsoleStore, SqlRow } from '../identity/console-store.ts';
import type { MigrationArea } from '../identity/migration.ts';
import { randomId } from '../identity/secret.ts';

export type Strategy = z.output<typeof strategy>;

const TABLES: MigrationArea = {
  area: 'strategies',
  migrations: [
    {
      version: 1,
      name: 'drafts of desk configurations',
      sql: `
CREATE TABLE strategies (
  id TEXT PRIMARY KEY,
  portfolio TEXT NOT NULL,
  desk TEXT NOT NULL,
  name TEXT NOT NULL,
  parameters TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
  created_at INTEGER NOT NULL,
  by TEXT NOT NULL,
  prompt TEXT,
  notes TEXT NOT NULL
) STRICT;
CREATE INDEX strategies_by_portfolio ON strategies (portfolio, created_at);
`,
    },
  ],
};

/** Drafts of one portfolio that are kept; the oldest go. */
const KEPT = 500;

/** Named configurations of desks that somebody drafted, in the console's own file. */
export class Strategies {
  private readonly store: ConsoleStore;

  constructor(store: ConsoleStore) {
    this.store = store;
    store.migrate(TABLES);
  }

  add(
    portfolio: string,
    by: string,
    draft: Pick<Strategy, 'name' | 'desk' | 'parameters' | 'prompt' | 'notes'>,
  ): Strategy {
    const { name, desk, parameters, prompt, notes } = draft;
    const id = randomId();
    this.store.transaction(() => {
      this.store.run(
        `INSERT INTO strategies (id, portfolio, desk, name, parameters, state, created_at, by, prompt, notes)
         VALUES (?, ?, ?, ?, ?, 'draft', ?, ?, ?, ?)`,
        id,
        portfolio,
        desk,
        name,
        canonicalJson(parameters),
        Math.floor(this.store.now()),
        by,
        prompt,
        JSON.stringify(notes),
      );
      this.store.run(
        `DELETE FROM strategies WHERE portfolio = ?1 AND state <> 'active' AND id NOT IN
         (SELECT id FROM strategies WHERE portfolio = ?1 ORDER BY created_at DESC, rowid DESC LIMIT ?2)`,
        portfolio,
        KEPT,
      );
    });
    return this.get(portfolio, id);
  }

  /** Throws {@link Problem} 404. */
  get(portfolio: string, id: string): Strategy {
    const row = this.store.get('SELECT * FROM strategies WHERE id = ? AND portfolio = ?', id, portfolio);
    if (row !== undefined) return strategyOf(row);
    throw new Problem(
      404,
      'not-found',
      'there is no strategy of this id',
      'GET /api/strategy/list lists them; one that runs is applied already',
    );
  }

  /** Newest first. */
  list(portfolio: string): Strategy[] {
    const rows = this.store.all(
      'SELECT * FROM strategies WHERE portfolio = ? ORDER BY created_at DESC, rowid DESC',
      portfolio,
    );
    return rows.map(strategyOf);
  }

  /** The one of its desk that is meant from now on; what was active before is retired. */
  activate(portfolio: string, id: string): Strategy {
    const { desk } = this.get(portfolio, id);
    this.store.transaction(() => {
      this.store.run(
        `UPDATE strategies SET state = 'retired' WHERE portfolio = ? AND desk = ? AND state = 'active'`,
        portfolio,
        desk,
      );
      this.store.run(`UPDATE strategies SET state = 'active' WHERE id = ?`, id);
    });
    return this.get(portfolio, id);
  }
}

const strategyOf = (row: SqlRow): Strategy => ({
  id: String(row.id),
  name: String(row.name),
  desk: String(row.desk),
  parameters: JSON.parse(String(row.parameters)) as Record<string, unknown>,
  state: row.state as Strategy['state'],
  created_at: Number(row.created_at),
  prompt: row.prompt === null ? null : String(row.prompt),
  notes: JSON.parse(String(row.notes)) as string[],
});
