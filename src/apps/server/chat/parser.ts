import { InputError } from '#base';
import type { LookUp } from './look-up.ts';
import { PLAIN_ANSWERS } from './plain-answers.ts';

const UNDERSTOOD = `I understand: positions, performance, equity, trades, orders, risk, breaker, worth, and "why BTCUSDT" or "why BTCUSDT at 2023-07-04T12:00Z".`;

const PROVIDER =
  'For questions in free words connect a language model: set QUORUM_LLM_PROVIDER (openai-compatible, openrouter, anthropic, google or groq), QUORUM_LLM_MODEL and the key in the variable that QUORUM_LLM_KEY_ENV names, then start the server again.';

type Simple = Exclude<keyof typeof PLAIN_ANSWERS, 'why'>;

/** Words that ask for something, the more particular first. */
const WORDS: readonly (readonly [RegExp, Simple])[] = [
  [/\b(breaker|halt(ed)?|shutdown|circuit)\b/, 'breaker'],
  [/\b(orders?|working)\b/, 'orders'],
  [/\b(worth|scorecards?|sources?|gates?)\b/, 'worth'],
  [/\b(risks?|limits?|exposures?|heat|var|drawdown)\b/, 'risk'],
  [/\b(trades?|closed)\b/, 'trades'],
  [
    /\b(pnl|p&l|profits?|loss(es)?|performance|perform(ed|ing)?|win ?rate|sharpe|earn(ed)?|made)\b/,
    'performance',
  ],
  [/\b(equity|balance|cash|account)\b/, 'equity'],
  [/\b(positions?|holding|hold|open|long|short)\b/, 'positions'],
];

export interface ParsedQuestion {
  readonly asks: keyof typeof PLAIN_ANSWERS | 'help' | 'unknown';
  readonly instrument: string | null;
  readonly time: string | null;
}

/** Words of a question about a decision that are no instrument. */
const FILLERS = new Set(
  'why did do does is was were you we i it the a an not no on in of for to at about last latest newest trade traded enter entered exit exited buy bought sell sold decision happen happened there nothing anything wait waited'.split(
    ' ',
  ),
);

/** What a person asks, found without a language model. */
export function parseQuestion(message: string): ParsedQuestion {
  const text = message.trim().toLowerCase();
  const nothing = { instrument: null, time: null };
  if (text === '' || /^(help|\?|hi|hello|hey)\b[!?. ]*$/.test(text)) return { asks: 'help', ...nothing };
  if (/\bwhy\b/.test(text)) {
    const time = /\b(\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?z?)?|\d{12,14})\b/i.exec(message)?.[1] ?? null;
    const rest = time === null ? message : message.replace(time, ' ');
    const words = rest.match(/[A-Za-z][A-Za-z0-9]*(?:[.@:-][A-Za-z0-9-]+)*/g) ?? [];
    const instrument = words.find((word) => !FILLERS.has(word.toLowerCase()) && word.length >= 2) ?? null;
    return { asks: 'why', instrument, time: time === null ? null : readableTime(time) };
  }
  const found = WORDS.find(([pattern]) => pattern.test(text));
  return found === undefined ? { asks: 'unknown', ...nothing } : { asks: found[1], ...nothing };
}

/** As instants are written: a `T` between date and time, and UTC. */
function readableTime(time: string): string {
  const text = time.toUpperCase().replace(' ', 'T');
  return text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text;
}

/** An answer without a language model, in plain words. Never throws for what somebody typed. */
export async function answerPlainly(message: string, look: LookUp): Promise<string> {
  const { asks, instrument, time } = parseQuestion(message);
  try {
    switch (asks) {
      case 'help':
        return `${UNDERSTOOD}\n${PROVIDER}`;
      case 'unknown':
        return `I do not understand that. ${UNDERSTOOD}\n${PROVIDER}`;
      case 'why':
        return await PLAIN_ANSWERS.why(look, instrument, time);
      default:
        return await PLAIN_ANSWERS[asks](look);
    }
  } catch (error) {
    if (error instanceof InputError) return `${error.message}; ${error.mend}.`;
    throw error;
  }
}
