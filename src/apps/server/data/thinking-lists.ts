import { sql } from 'kysely';
import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import type { DecisionTrace } from '#engine';
import type { decisionLine, THINKING_ROUTES } from '../../contract/areas/thinking.ts';
import type { AnswerOf } from '../../contract/index.ts';
import { type Page, type PageAsk, readPage } from './paging.ts';

export type DecisionLine = z.output<typeof decisionLine>;
export type SignalLine = AnswerOf<(typeof THINKING_ROUTES)['signals']>['items'][number];

export interface DecisionsAsk extends PageAsk {
  readonly instrument?: string | undefined;
  readonly desk?: string | undefined;
  readonly outcome?: string | undefined;
  /** Who objected first. */
  readonly by?: string | undefined;
  readonly action?: string | undefined;
}

const LINE = ['id', 'at', 'desk', 'instrument', 'action', 'confidence', 'outcome', 'reason'] as const;

interface LineRow {
  readonly id: string;
  readonly at: number | null;
  readonly desk: string | null;
  readonly instrument: string | null;
  readonly action: string | null;
  readonly confidence: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
}

/** Ideas, newest first. Their traces are left where they are: one is many times its line. */
export async function decisionsPage({ db }: ProjectionStore, ask: DecisionsAsk): Promise<Page<DecisionLine>> {
  let query = db.selectFrom('decisions').select(LINE);
  for (const name of ['instrument', 'desk', 'outcome', 'action'] as const) {
    const value = ask[name];
    if (value !== undefined) query = query.where(name, '=', value);
  }
  if (ask.by !== undefined) {
    const begin = `${ask.by}: `;
    // not LIKE: a name may hold its wildcards
    query = query.where(sql`substr(${sql.ref('reason')}, 1, ${begin.length})`, '=', begin);
  }
  return readPage(query, ask, lineOf);
}

function lineOf(row: LineRow): DecisionLine {
  return {
    id: row.id,
    at: row.at!,
    desk: row.desk ?? '',
    instrument: row.instrument ?? '',
    action: row.action ?? '',
    confidence: row.confidence,
    outcome: row.outcome ?? '',
    reason: row.reason === '' ? null : row.reason,
  };
}

/** One idea with its trace; null when there is none of this id. */
export async function decisionById(
  { db }: ProjectionStore,
  id: string,
): Promise<{ readonly line: DecisionLine; readonly trace: DecisionTrace } | null> {
  const row = await db
    .selectFrom('decisions')
    .select([...LINE, 'trace'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined || row.at === null || row.trace === null) return null;
  return { line: lineOf(row), trace: JSON.parse(row.trace) as DecisionTrace };
}

/** What sources said in ideas that wanted to act, newest first. */
export async function signalsPage(
  { db }: ProjectionStore,
  ask: PageAsk & { readonly instrument?: string | undefined; readonly source?: string | undefined },
): Promise<Page<SignalLine>> {
  let query = db.selectFrom('signals').selectAll();
  if (ask.instrument !== undefined) query = query.where('instrument', '=', ask.instrument);
  if (ask.source !== undefined) query = query.where('source', '=', ask.source);
  return readPage(query, ask, (row) => ({
    id: row.id,
    at: row.at!,
    desk: row.desk ?? '',
    instrument: row.instrument ?? '',
    source: row.source ?? '',
    kind: row.kind ?? '',
    direction: row.direction,
    score: row.score,
    probability: row.probability,
    horizonMs: row.horizon_ms,
    outcome: row.outcome,
  }));
}
