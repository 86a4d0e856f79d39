import type { z } from 'zod';
import type { DeskParts } from '#engine';
import type { Signal } from '#signals';
import type { decision } from '../../../contract/areas/thinking.ts';
import { explainDecision, type FillLine, signalText } from '../../../explain/explanation.ts';
import { stagesOf } from '../../../explain/stages.ts';
import { type ConsoleContext, Problem } from '../../context.ts';
import { deskPartsIn } from '../../data/desk-parts.ts';
import { fromProjections } from '../../data/reach.ts';
import { decisionById } from '../../data/thinking-lists.ts';
import { fillsOfOrders } from '../../data/trading-lists.ts';

type Decision = z.output<typeof decision>;

/** One idea in full: who said what, where it was cut, and the least that would have let it pass. */
export async function decisionView(context: ConsoleContext, name: string, id: string): Promise<Decision> {
  const { found, fills } = await fromProjections(context, name, async (store) => {
    const one = await decisionById(store, id);
    return { found: one, fills: await fillsOfOrders(store, one?.trace.orders ?? []) };
  });
  if (found === null) {
    const mend = 'GET /api/v1/decisions lists them; one that was made just now may not be projected yet';
    throw new Problem(404, 'not-found', 'there is no decision of this id', mend);
  }
  const { line, trace } = found;
  const parts = (await deskPartsIn(context.portfolios.folder(name))).get(trace.desk) ?? null;
  const lines = fills.map(
    ({ orderId, at, side, quantity, price, fee, reason }): FillLine => ({
      orderId,
      time: at,
      side,
      quantity,
      price,
      fee,
      reason: reason ?? '',
    }),
  );
  const explained = explainDecision({ trace, parts, fills: lines, members: null });
  const words = new Map(explained.sources.map((source) => [source.signal, source.words]));
  return {
    ...line,
    shadow: trace.shadow,
    regime: trace.regime,
    rule: trace.rule,
    signals: trace.signals.map((signal) => signalView(signal, parts, words.get(signal) ?? [])),
    size:
      trace.size === null
        ? null
        : {
            quantity: trace.size.quantity,
            riskFraction: trace.size.riskFraction,
            cuts: trace.size.cuts.map(({ by, factor }) => ({
              by,
              text: `x${Number(factor.toPrecision(4))}`,
            })),
          },
    objections: trace.objections.map(({ by, reason, measured, needed, relation }) => ({
      by,
      reason,
      measured: measured ?? null,
      needed: needed ?? null,
      relation: relation ?? null,
    })),
    orders: [...trace.orders],
    stages: [...stagesOf(explained)],
    nearest: explained.smallestChange?.text ?? null,
  };
}

function signalView(
  signal: Signal,
  parts: DeskParts | null,
  words: readonly string[],
): Decision['signals'][number] {
  return {
    source: signal.source,
    kind: signal.kind,
    value: valueOfSignal(signal),
    horizonMs: 'horizonMs' in signal && Number.isFinite(signal.horizonMs) ? signal.horizonMs : null,
    weight: parts === null ? null : (parts.weights?.[signal.source] ?? 1),
    text: [signalText(signal), ...words].join('\n'),
  };
}

function valueOfSignal(signal: Signal): number | null {
  switch (signal.kind) {
    case 'score':
      return signal.value;
    case 'forecast':
      return signal.probability;
    case 'proposal':
      return Number.isFinite(signal.expectedEdge) ? signal.expectedEdge : null;
  }
}
