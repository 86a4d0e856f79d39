import { z } from 'zod';
import type { Piece, Shipment } from '#adapters';
import { assert, canonicalJson, InputError } from '#base';
import { columnsOver, instrumentFor } from '#market';
import type { ColdData } from '#research';
import { hash } from '../setup/work/result-schemas.ts';
import type { FetchPieces } from '../setup/work/tape-pieces.ts';
import type { TrialSetting } from './trial-player.ts';

const number = z.number();
const place = z.int().min(0);
const range = z.strictObject({ from: place, to: place });

/** What a training's trials have in common besides its columns, as it goes to other machines. */
const trialsPlanSchema = z.strictObject({
  format: z.literal(1),
  /** Names the search that asks for the trials. */
  study: hash,
  instrument: z.string().min(1).max(200),
  intervalMs: z.int().min(1),
  /** Bars, and so values of every column but funding's. */
  bars: z.int().min(1).max(1_000_000_000),
  /** Payments of funding; null: none are known. */
  funding: place.nullable(),
  hasTilts: z.boolean(),
  hasNews: z.boolean(),
  rules: z.strictObject({
    stopAtr: number,
    targetAtr: number,
    verticalBars: number,
    probabilityMin: number,
    leadMin: number,
    regimeWeight: number,
    modelWeight: number,
    newsWeight: number,
    scoreMin: number,
    risk: number,
    notionalMax: number,
    participation: number.nullable(),
  }),
  costs: z.strictObject({ cash: number, feeRate: number, slippageRate: number }),
  embargoBars: place,
  seed: z.string(),
  windows: z
    .array(z.strictObject({ number: place, train: range, test: range, from: z.int(), to: z.int() }))
    .min(1)
    .max(100_000),
});
export type ShippedTrials = z.output<typeof trialsPlanSchema>;

type Column = Float64Array | Int8Array | Uint8Array;
const BYTES = { double: 8, byte: 1 } as const;

/** A column of a training's market: what its values are, and where it is found; nothing where there is none. */
interface ColumnPlace {
  readonly name: string;
  readonly kind: keyof typeof BYTES;
  readonly of: (data: ColdData) => Column | null | undefined;
}

const bar = (name: 'time' | 'open' | 'high' | 'low' | 'close' | 'volume'): ColumnPlace => ({
  name,
  kind: 'double',
  of: ({ bars }) => bars[name].subarray(0, bars.length),
});

const COLUMNS: readonly ColumnPlace[] = [
  ...(['time', 'open', 'high', 'low', 'close', 'volume'] as const).map(bar),
  { name: 'regime', kind: 'byte', of: ({ regime }) => regime },
  { name: 'regimeStrength', kind: 'double', of: ({ regimeStrength }) => regimeStrength },
  { name: 'tilts', kind: 'double', of: ({ fundingTilts }) => fundingTilts },
  { name: 'fundingTimes', kind: 'double', of: ({ funding }) => funding && Float64Array.from(funding.times) },
  { name: 'fundingRates', kind: 'double', of: ({ funding }) => funding && Float64Array.from(funding.rates) },
  { name: 'newsScore', kind: 'double', of: ({ news }) => news?.score },
  { name: 'newsStops', kind: 'byte', of: ({ news }) => news?.stops },
  { name: 'newsHalves', kind: 'byte', of: ({ news }) => news?.halves },
  { name: 'newsKnown', kind: 'byte', of: ({ news }) => news?.known },
];

/** Values that a column of a plan has; null where the plan has no such column. */
function lengthOf({ name }: ColumnPlace, { bars, funding, hasTilts, hasNews }: ShippedTrials): number | null {
  if (name.startsWith('funding')) return funding;
  if (name.startsWith('news')) return hasNews ? bars : null;
  return name !== 'tilts' || hasTilts ? bars : null;
}

/** Describes what trials have in common and names its pieces. */
export function shipTrials(
  { study: { data, rules, costs, embargoBars, seed }, windows }: TrialSetting,
  study: string,
  shipment: Shipment,
  pieces: Record<string, Piece[]>,
): ShippedTrials {
  const { id } = data.instrument;
  assert(
    canonicalJson(instrumentFor(id)) === canonicalJson(data.instrument),
    'an instrument of a training is the known one of its name',
  );
  const shipped: ShippedTrials = {
    format: 1,
    study,
    instrument: id,
    intervalMs: data.intervalMs,
    bars: data.bars.length,
    funding: data.funding === null ? null : data.funding.times.length,
    hasTilts: data.fundingTilts !== null,
    hasNews: data.news !== null,
    rules: { ...rules },
    costs: { ...costs },
    embargoBars,
    seed,
    windows: windows.map(({ train, test, ...rest }) => ({ ...rest, train: { ...train }, test: { ...test } })),
  };
  for (const place of COLUMNS) {
    const column = place.of(data);
    assert((column?.length ?? null) === lengthOf(place, shipped), `${place.name} has a value for each bar`);
    if (column)
      pieces[place.name] = shipment.add(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return shipped;
}

const damaged = (what: string) => new InputError(`the training is damaged: ${what}`, 'start it again');

/** Reads what {@link shipTrials} described. Throws InputError for what cannot be. */
export function readTrialsPlan(plan: unknown): ShippedTrials {
  const read = trialsPlanSchema.safeParse(plan);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    throw damaged(`${issue.path.join('.')}: ${issue.message}`);
  }
  const { windows, bars } = read.data;
  const isIn = ({ from, to }: { from: number; to: number }) => from < to && to <= bars;
  const odd = windows.find((one, k) => one.number !== k || !isIn(one.train) || !isIn(one.test));
  if (odd !== undefined) throw damaged(`window ${odd.number} is none of its bars`);
  return read.data;
}

/** What trials have in common, in memory that threads share. Null when pieces are missing. Throws InputError for other ones. */
export async function fetchTrials(
  shipped: ShippedTrials,
  pieces: Readonly<Record<string, Piece[]>>,
  fetch: FetchPieces,
): Promise<TrialSetting | null> {
  const blocks = new Map<string, SharedArrayBuffer>();
  for (const place of COLUMNS) {
    const length = lengthOf(place, shipped);
    if (length === null) continue;
    const own = pieces[place.name] ?? [];
    // before memory is taken for it
    if (own.reduce((sum, { bytes }) => sum + bytes, 0) !== length * BYTES[place.kind])
      throw damaged(`${place.name} is not as long as it should be`);
    const block = await fetch(own);
    if (block === null) return null;
    blocks.set(place.name, block);
  }
  const block = (name: string) => {
    const found = blocks.get(name);
    assert(found !== undefined, 'a column that the plan has was fetched');
    return found;
  };
  const doubles = (name: string) => new Float64Array(block(name));
  const bytes = (name: string) => new Uint8Array(block(name));
  const { instrument, intervalMs, bars: length, rules, costs, embargoBars, seed, windows } = shipped;
  const [time, open, high, low, close, volume] = [
    doubles('time'),
    doubles('open'),
    doubles('high'),
    doubles('low'),
    doubles('close'),
    doubles('volume'),
  ];
  const data: ColdData = {
    instrument: instrumentFor(instrument),
    intervalMs,
    bars: columnsOver({ length, time, open, high, low, close, volume }),
    fundingTilts: shipped.hasTilts ? doubles('tilts') : null,
    funding:
      shipped.funding === null ? null : { times: doubles('fundingTimes'), rates: doubles('fundingRates') },
    regime: new Int8Array(block('regime')),
    regimeStrength: doubles('regimeStrength'),
    news: shipped.hasNews
      ? {
          score: doubles('newsScore'),
          stops: bytes('newsStops'),
          halves: bytes('newsHalves'),
          known: bytes('newsKnown'),
        }
      : null,
  };
  return { study: { data, rules, costs, embargoBars, seed }, windows };
}
