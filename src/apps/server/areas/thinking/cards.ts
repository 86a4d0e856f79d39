import type { z } from 'zod';
import type { DeskParts } from '#engine';
import type { gateCard, sourceCard } from '../../../contract/areas/thinking.ts';
import type { DeskLearningAnswer, SourceAnswer } from '../../../runner/control-answers.ts';
import type { Status } from '../../../runner/status.ts';
import type { ConsoleContext } from '../../context.ts';
import { askedOf } from '../../data/asking.ts';
import { deskPartsIn } from '../../data/desk-parts.ts';
import { deskHashNow, headerIn } from '../../data/standing.ts';
import { type PartWorth, WorthOnRecord } from '../../data/worth.ts';

type SourceCard = z.output<typeof sourceCard>;
type GateCard = z.output<typeof gateCard>;

const studies = new WorthOnRecord();

/** A desk with what is known of its parts; `learned` is null while no loop answers. */
interface DeskKnown {
  readonly desk: string;
  readonly parts: DeskParts | null;
  readonly learned: DeskLearningAnswer | null;
  readonly worth: ReadonlyMap<string, PartWorth>;
}

async function desksOf(context: ConsoleContext, name: string): Promise<readonly DeskKnown[]> {
  const folder = context.portfolios.folder(name);
  const [learning, status] = await Promise.all([
    askedOf(context, name, 'learning'),
    askedOf(context, name, 'status'),
  ]);
  const parts = await deskPartsIn(folder);
  return (headerIn(folder)?.desks ?? []).map(({ name: desk, hash }) => ({
    desk,
    parts: parts.get(desk) ?? null,
    learned: learning?.desks.find((one) => one.desk === desk) ?? null,
    worth: studies.of(context.dataDir, deskHashNow(status, desk, hash)),
  }));
}

/** Every source of every desk with its record; without a loop their names and what a study says of them. */
export async function sourceCards(context: ConsoleContext, name: string): Promise<SourceCard[]> {
  return (await desksOf(context, name)).flatMap(({ desk, parts, learned, worth }) => {
    if (learned !== null)
      return learned.sources.map((one) => cardOf(desk, one, worth.get(`source:${one.source}`)));
    return (parts?.sources ?? []).map((source) => ({
      desk,
      source: source.name,
      kind: source.emits ?? null,
      n: 0,
      hitRate: null,
      brier: null,
      logLoss: null,
      weight: parts?.weights?.[source.name] ?? 1,
      reliability: [],
      weights: [],
      worth: worth.get(`source:${source.name}`) ?? null,
    }));
  });
}

function cardOf(desk: string, one: SourceAnswer, worth: PartWorth | undefined): SourceCard {
  const { source, emits, n, hitRate, brier, logLoss, weight, weightHistory } = one;
  return {
    desk,
    source,
    kind: emits,
    n: emits === 'forecast' ? Math.max(n, one.forecasts) : n,
    hitRate,
    brier,
    logLoss,
    weight,
    reliability: one.reliability.map(({ stated, happened, n: of }) => ({
      // a score of -1..1 as the probability of a rise that it would be if it were one
      stated: emits === 'score' ? (stated + 1) / 2 : stated,
      observed: happened,
      n: of,
    })),
    weights: [...weightHistory],
    worth: worth ?? null,
  };
}

/** Everything that may object, in the order in which it is asked. */
export async function gateCards(context: ConsoleContext, name: string): Promise<GateCard[]> {
  const desks = await desksOf(context, name);
  const status = await askedOf(context, name, 'status');
  return desks.flatMap((known) => [
    ...gatesOf(known),
    ...limitsOf(known, desks.length === 1 ? status : null),
  ]);
}

function gatesOf({ desk, parts, learned, worth }: DeskKnown): GateCard[] {
  if (learned !== null) {
    return learned.gates.map(({ gate, kind, considered, objected, wouldHave }) => ({
      desk,
      gate,
      kind: kind === 'rule' ? 'other' : kind,
      considered,
      objected,
      wouldHave,
      worth: worth.get(`gate:${gate}`) ?? null,
    }));
  }
  return (parts?.gates ?? []).map(({ name: gate, veto }) => ({
    desk,
    gate,
    kind: veto ? 'veto' : 'gate',
    considered: 0,
    objected: 0,
    wouldHave: null,
    worth: worth.get(`gate:${gate}`) ?? null,
  }));
}

/** Limits and layers. The loop counts refusals of the whole portfolio, so they are a desk's only where it is alone. */
function limitsOf({ desk, parts, learned, worth }: DeskKnown, status: Status | null): GateCard[] {
  const refusals = (status?.counts.refusalsByLimit ?? {}) as Readonly<Record<string, number>>;
  const reductions = (status?.counts.reductionsByLimit ?? {}) as Readonly<Record<string, number>>;
  const card = (gate: string, part: 'limit' | 'layer'): GateCard => ({
    desk,
    gate,
    kind: 'limit',
    considered: learned?.ideas.passed ?? 0,
    objected: (refusals[gate] ?? 0) + (reductions[gate] ?? 0),
    wouldHave: null,
    worth: worth.get(`${part}:${gate}`) ?? null,
  });
  return [
    ...(parts?.safetyLayers ?? []).map((layer) => card(layer.name, 'layer')),
    ...(parts?.limits ?? []).map((limit) => card(limit.name, 'limit')),
  ];
}
