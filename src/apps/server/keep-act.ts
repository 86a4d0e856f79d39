import type { ControlAnswer, ControlRequest } from '../runner/control.ts';
import type { CallNotes } from './call-notes.ts';
import type { ConsoleContext, Portfolios } from './context.ts';
import { type Actor, type AuditEntry, actorOf, type Identity } from './identity/index.ts';

/** Keeps what was asked of a loop and what came of it in the console's audit, beside the loop's own journal. */
export function keepAct(
  identity: Identity,
  notes: CallNotes,
  portfolio: string,
  { act, by, reason }: Extract<ControlRequest, { ask: 'operator' }>,
  answer: ControlAnswer | null,
): void {
  // what is recorded for somebody else stands in the audit by itself
  if (act.action === 'record') return;
  const actor = actorAt(notes, by, '');
  const outcome = answer === null ? 'failed' : answer.ok ? 'done' : 'refused';
  const { action, ...more } = act;
  const detail = { portfolio, ...more, ...(answer?.error === undefined ? {} : { error: answer.error }) };
  identity.audit.write(actor, `operator-${action}`, outcome, { subject: portfolio, reason, detail });
}

/** Keeps an act that is no loop's in the audit, from where {@link journalActs} takes it on. */
export function record(
  identity: Identity,
  notes: CallNotes,
  entry: Parameters<ConsoleContext['audit']>[0],
): void {
  const { by, what, reason, detail = '', address = '', portfolio } = entry;
  identity.audit.write(actorAt(notes, by, address), what, 'done', {
    reason,
    detail: { detail, ...(portfolio === undefined ? {} : { portfolio }) },
  });
}

/** Coming and going is in the audit alone: whoever knocks must not be able to write in a journal. */
const NOT_JOURNALED = /^(login|logout|proof|operator-.*)$/;
const JOURNAL_MS = 2_000;

/**
 * Has a loop journal every act that was done beside it (users, tokens, rules, configuration) with who and why: that of the
 * portfolio it was about, else the first that runs. Nobody waits for it; the audit has it in any case.
 */
export function journalActs(
  identity: Identity,
  portfolios: Portfolios,
  onTrouble: (what: string, error: Error) => void,
): () => void {
  return identity.audit.listen((entry) => {
    if (entry.outcome !== 'done' || NOT_JOURNALED.test(entry.act)) return;
    journal(entry, portfolios).catch((error: Error) => onTrouble(`journaling of ${entry.act}`, error));
  });
}

async function journal(entry: AuditEntry, portfolios: Portfolios): Promise<void> {
  const { act: what, by, subject, reason, detail } = entry;
  const named = typeof detail.portfolio === 'string' ? detail.portfolio : null;
  const portfolio = named ?? (await firstThatRuns(portfolios));
  if (portfolio === null) return;
  const about = JSON.stringify({ subject, ...detail }).slice(0, 8_000);
  const act = { action: 'record' as const, subject: what.slice(0, 500), detail: about };
  const question = {
    ask: 'operator' as const,
    by: shortText(`${by} (console)`),
    reason: shortText(reason),
    act,
  };
  await portfolios.ask(portfolio, question, JOURNAL_MS);
}

const shortText = (text: string) => text.slice(0, 500) || '-';

async function firstThatRuns(portfolios: Portfolios): Promise<string | null> {
  for (const name of portfolios.names())
    if ((await portfolios.ask(name, { ask: 'status' }, 1_000))?.ok === true) return name;
  return null;
}

function actorAt(notes: CallNotes, by: string, address: string): Actor {
  const call = notes.current();
  return call === null ? { userId: null, by, via: 'server', address } : actorOf(call.who, call.address);
}
