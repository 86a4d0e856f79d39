import { InputError } from '#base';
import { type Call, Problem } from '../context.ts';
import { LookUp } from './look-up.ts';
import { type ModelChoice, modelChoice } from './model.ts';
import { answerPlainly } from './parser.ts';
import type { Readers } from './readers.ts';

export interface ChatAnswer {
  readonly reply: string;
  readonly by: 'model' | 'parser';
  readonly sources: string[];
}

export interface ChatOptions {
  readonly readers: Readers;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long a model may take over everything, milliseconds. */
  readonly timeoutMs?: number;
}

/** Questions to a model at once; more are answered by the parser. */
const AT_ONCE = 4;
const TIMEOUT_MS = 30_000;

/** Answers questions about the running system. It reads in the name of who asks and can change nothing. */
export class Chat {
  private readonly options: ChatOptions;
  private asking = 0;

  constructor(options: ChatOptions) {
    this.options = options;
  }

  /** Asks the model that the environment names; without one, or when it fails, the built-in parser answers and says so. */
  async answer(message: string, portfolio: string | undefined, call: Call): Promise<ChatAnswer> {
    const { readers, env = process.env, timeoutMs = TIMEOUT_MS } = this.options;
    const look = () => new LookUp(readers, portfolio, call);
    const choice = chosen(env);
    if (choice === null) return plain(message, look(), null);
    if (typeof choice === 'string') return plain(message, look(), choice);
    if (this.asking >= AT_ONCE)
      return plain(message, look(), 'the language model is busy with other questions');
    this.asking += 1;
    try {
      const { askModel } = await import('./ask-model.ts');
      const used = look();
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeoutMs)]);
      const asked = await askModel(choice, message, used, signal);
      if (asked.is === 'answered') return { reply: asked.text, by: 'model', sources: used.sources };
      return await plain(message, look(), asked.why);
    } finally {
      this.asking -= 1;
    }
  }
}

function chosen(env: Readonly<Record<string, string | undefined>>): ModelChoice | string | null {
  try {
    return modelChoice(env);
  } catch (error) {
    if (error instanceof InputError) return `${error.message}: ${error.mend}`;
    throw error;
  }
}

async function plain(message: string, look: LookUp, why: string | null): Promise<ChatAnswer> {
  const text = await answerPlainly(message, look).catch((error: unknown) => {
    if (error instanceof Problem) return `${error.message}; ${error.mend}.`;
    throw error;
  });
  const reply = why === null ? text : `(Without the language model: ${why}.)\n${text}`;
  return { reply, by: 'parser', sources: look.sources };
}
