/** One parameter of a desk as its JSON schema describes it. */
export interface Knob {
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'string';
  readonly minimum: number | null;
  readonly maximum: number | null;
}

/** What words said should change, and what was made of them, in words. */
export interface Drafted {
  readonly changes: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
  /** Nothing of it was understood. */
  readonly empty: boolean;
}

/** Smaller is more cautious; of the rest only these grow. */
const RISKS = /risk|leverage|kelly|asset|group(?!Rho)|heat|sector|dayLoss|exposure|units|size/i;
const HURDLES = /confidence|threshold|entry/i;
const CAUTION = 0.5;
const COURAGE = 1.5;
const HURDLE_STEP = 0.05;
const STEP = 0.1;

const FILLERS = new Set([
  'to',
  'is',
  'be',
  'at',
  'of',
  'the',
  'a',
  'an',
  'and',
  'with',
  'set',
  'use',
  'make',
]);
const MORE = ['double', 'halve', 'half', 'raise', 'increase', 'lower', 'reduce', 'decrease'] as const;

/** The parameters of a schema that words can change: numbers, switches and texts. */
export function knobsOf(schema: Readonly<Record<string, unknown>>): Knob[] {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return Object.entries(properties).flatMap(([name, about]) => {
    const kinds = [
      about,
      ...((about.anyOf as readonly Readonly<Record<string, unknown>>[] | undefined) ?? []),
    ];
    const kind = kinds.find((one) => typeIn(one) !== undefined);
    if (kind === undefined) return [];
    const bound = (closed: string, open: string) =>
      typeof kind[closed] === 'number' ? kind[closed] : typeof kind[open] === 'number' ? kind[open] : null;
    return [
      {
        name,
        type: typeIn(kind)!,
        minimum: bound('minimum', 'exclusiveMinimum'),
        maximum: bound('maximum', 'exclusiveMaximum'),
      },
    ];
  });
}

/** A type may stand in a list, beside null. */
const typeIn = ({ type }: Readonly<Record<string, unknown>>): Knob['type'] | undefined =>
  TYPES.find((one) => one === type || (Array.isArray(type) && type.includes(one)));

const TYPES: readonly Knob['type'][] = ['number', 'integer', 'boolean', 'string'];

/**
 * Reads a wish such as `leverage 5, risk 0.5%`, `double the stop`, `more cautious`. A parameter is named whole or by how its
 * name begins; a percentage is a fraction. What is not understood is told in the notes.
 */
export function draftFrom(
  text: string,
  knobs: readonly Knob[],
  now: Readonly<Record<string, unknown>>,
): Drafted {
  const changes: Record<string, unknown> = {};
  const notes: string[] = [];
  const plain = text.toLowerCase().replace(/\s+/g, ' ');
  // one percent written as two words is no whole
  let rest = ` ${plain.replace(/(\d) ?(%|percent\b|per cent\b)/g, '$1%')} `;
  const moods: readonly (readonly [RegExp, 'cautious' | 'bold'])[] = [
    [
      /\b(more|much more) (cautious|careful|conservative|defensive)(ly)?\b|\bless (aggressive|bold|risky|risk)\b|\bsafer\b/g,
      'cautious',
    ],
    [
      /\b(more|much more) (aggressive|bold|risky|risk)(ly)?\b|\bbolder\b|\bless (cautious|careful|conservative|defensive)\b/g,
      'bold',
    ],
  ];
  for (const [pattern, mood] of moods) {
    if (!pattern.test(rest)) continue;
    rest = rest.replace(pattern, ' ');
    Object.assign(changes, moodChanges(mood, knobs, now));
    notes.push(
      mood === 'cautious'
        ? 'more cautious: risks halved, hurdles raised'
        : 'bolder: risks raised by half, hurdles lowered',
    );
  }
  const words = rest.split(/[\s,;]+|(?<=[a-z])[=:]|\.(?=\s)/).filter((word) => word !== '');
  for (let i = 0; i < words.length; i++) i += readAt(words, i, knobs, now, changes, notes);
  return { changes, notes, empty: Object.keys(changes).length === 0 };
}

/** Reads what begins at a word; returns how many further words it took. */
function readAt(
  words: readonly string[],
  at: number,
  knobs: readonly Knob[],
  now: Readonly<Record<string, unknown>>,
  changes: Record<string, unknown>,
  notes: string[],
): number {
  const move = MORE.find((one) => one === words[at]);
  let place = at + (move === undefined ? 0 : 1);
  while (FILLERS.has(words[place] ?? '')) place += 1;
  const named = knobAt(words, place, knobs);
  if (named === null) return 0;
  if ('ambiguous' in named) {
    notes.push(`"${words[place]}" may be ${named.ambiguous.join(', ')}: name one of them`);
    return place - at;
  }
  const { knob, length } = named;
  place += length;
  while (FILLERS.has(words[place] ?? '') || words[place] === 'by') place += 1;
  const value = move === undefined ? given(words[place], knob) : moved(move, words[place], knob, now);
  if (value === null) return place - 1 - at;
  changes[knob.name] = value.value;
  notes.push(`${knob.name}: ${String(changes[knob.name])}`);
  return place - (value.took ? 0 : 1) - at;
}

/** The parameter that is named at a place, by one to three words: `risk max`, `riskmax`, `risk`. */
function knobAt(
  words: readonly string[],
  at: number,
  knobs: readonly Knob[],
): { readonly knob: Knob; readonly length: number } | { readonly ambiguous: readonly string[] } | null {
  for (let length = 3; length >= 1; length--) {
    const slice = words.slice(at, at + length);
    if (slice.length < length) continue;
    const name = slice.join('').replace(/[^a-z0-9]/g, '');
    const exact = knobs.find((knob) => knob.name.toLowerCase() === name);
    if (exact !== undefined) return { knob: exact, length };
  }
  const word = (words[at] ?? '').replace(/[^a-z0-9]/g, '');
  if (word.length < 3) return null;
  const begin = knobs.filter((knob) => knob.name.toLowerCase().startsWith(word));
  if (begin.length === 1) return { knob: begin[0]!, length: 1 };
  return begin.length > 1 ? { ambiguous: begin.map(({ name }) => name) } : null;
}

type Read = { readonly value: unknown; readonly took: boolean } | null;

function given(word: string | undefined, knob: Knob): Read {
  if (word === undefined) return null;
  switch (knob.type) {
    case 'boolean':
      if (/^(on|true|yes|enabled?)$/.test(word)) return { value: true, took: true };
      return /^(off|false|no|none|disabled?)$/.test(word) ? { value: false, took: true } : null;
    case 'string':
      return { value: word, took: true };
    default: {
      const value = numberIn(word);
      return value === null ? null : { value, took: true };
    }
  }
}

function moved(
  how: (typeof MORE)[number],
  word: string | undefined,
  knob: Knob,
  now: Readonly<Record<string, unknown>>,
): Read {
  const before = now[knob.name];
  if (typeof before !== 'number') return null;
  const by = word === undefined ? null : numberIn(word);
  const share = by === null ? STEP : word!.endsWith('%') ? by : Math.abs(by) < 1 ? by : by / 100;
  const took = by !== null && how !== 'double' && how !== 'halve' && how !== 'half';
  const factor =
    how === 'double'
      ? 2
      : how === 'halve' || how === 'half'
        ? 0.5
        : how === 'raise' || how === 'increase'
          ? 1 + share
          : 1 - share;
  return { value: fitted(before * factor, knob), took };
}

/** A number, a percentage as a fraction, basis points as such; null for a word. */
function numberIn(word: string): number | null {
  const match = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(%|x|bps)?$/.exec(word);
  if (match === null) return null;
  const value = Number(match[1]);
  if (!Number.isFinite(value)) return null;
  return match[2] === '%' ? round(value / 100) : value;
}

const round = (value: number): number => Number(value.toPrecision(12));

/** Within the schema's limits, and whole where it must be. */
function fitted(value: number, { type, minimum, maximum }: Knob): number {
  let fit = Math.min(maximum ?? value, Math.max(minimum ?? value, value));
  if (type === 'integer') fit = Math.round(fit);
  return round(fit);
}

function moodChanges(
  mood: 'cautious' | 'bold',
  knobs: readonly Knob[],
  now: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const knob of knobs) {
    const before = now[knob.name];
    if (typeof before !== 'number' || (knob.type !== 'number' && knob.type !== 'integer')) continue;
    if (RISKS.test(knob.name))
      changes[knob.name] = fitted(before * (mood === 'cautious' ? CAUTION : COURAGE), knob);
    else if (HURDLES.test(knob.name) && knob.maximum === 1)
      changes[knob.name] = fitted(before + (mood === 'cautious' ? HURDLE_STEP : -HURDLE_STEP), knob);
    if (changes[knob.name] === before) delete changes[knob.name];
  }
  return changes;
}
