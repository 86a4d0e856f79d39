import type { LanguageModel } from 'ai';
import { InputError } from '#base';

export const PROVIDERS = ['openai-compatible', 'openrouter', 'anthropic', 'google', 'groq'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Where a key is when nobody says: the variable that each provider's own programs use. */
const KEY_ENV: Readonly<Record<Provider, string | null>> = {
  'openai-compatible': null,
  openrouter: 'OPENROUTER_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
  groq: 'GROQ_API_KEY',
};

export interface ModelChoice {
  readonly provider: Provider;
  readonly model: string;
  readonly baseUrl: string | null;
  readonly key: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The language model that the environment names: QUORUM_LLM_PROVIDER, QUORUM_LLM_MODEL, QUORUM_LLM_BASE_URL, and
 * QUORUM_LLM_KEY_ENV with the name of the variable that holds the key. Null where none is named. Throws {@link InputError} for
 * half a choice; its words hold no key.
 */
export function modelChoice(env: Environment): ModelChoice | null {
  const named = env.QUORUM_LLM_PROVIDER || null;
  if (named === null) return null;
  const provider = PROVIDERS.find((one) => one === named);
  if (provider === undefined)
    throw new InputError(
      `QUORUM_LLM_PROVIDER: there is no "${named.slice(0, 40)}"`,
      `choose one of ${PROVIDERS.join(', ')}`,
    );
  const model = env.QUORUM_LLM_MODEL || null;
  if (model === null)
    throw new InputError('QUORUM_LLM_MODEL is not set', 'name the model as the provider does');
  const baseUrl = env.QUORUM_LLM_BASE_URL || null;
  if (provider === 'openai-compatible' && baseUrl === null)
    throw new InputError('QUORUM_LLM_BASE_URL is not set', 'such as http://127.0.0.1:11434/v1');
  if (baseUrl !== null && !/^https?:\/\/[^\s@]+$/.test(baseUrl))
    throw new InputError(
      'QUORUM_LLM_BASE_URL is no address',
      'write http://HOST:PORT/PATH without a name and password',
    );
  const keyEnv = env.QUORUM_LLM_KEY_ENV || KEY_ENV[provider];
  const key = (keyEnv === null ? null : env[keyEnv]) || null;
  if (key === null && (provider !== 'openai-compatible' || env.QUORUM_LLM_KEY_ENV))
    throw new InputError(`the environment variable ${keyEnv} is not set`, "put the provider's key into it");
  return { provider, model, baseUrl, key };
}

/** Loads only the one package that is needed: together they take as much memory as the rest of the server. */
export async function modelFor({ provider, model, baseUrl, key }: ModelChoice): Promise<LanguageModel> {
  const apiKey = key ?? '';
  const at = baseUrl === null ? {} : { baseURL: baseUrl };
  switch (provider) {
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      return createOpenAICompatible({
        name: 'own',
        baseURL: baseUrl!,
        ...(key === null ? {} : { apiKey }),
      }).chatModel(model);
    }
    case 'openrouter': {
      const { createOpenRouter } = await import('@openrouter/ai-sdk-provider');
      return createOpenRouter({ apiKey, ...at }).chat(model);
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({ apiKey, ...at })(model);
    }
    case 'google': {
      const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
      return createGoogleGenerativeAI({ apiKey, ...at })(model);
    }
    case 'groq': {
      const { createGroq } = await import('@ai-sdk/groq');
      return createGroq({ apiKey, ...at })(model);
    }
  }
}
