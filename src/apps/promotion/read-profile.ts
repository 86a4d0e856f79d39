import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { InputError } from '#base';
import { bindingProfile, FIGURE_NAMES, PROFILES, type PromotionProfile, usualProfile } from '#research';

const criterion = z.strictObject({
  figure: z.enum(FIGURE_NAMES as [(typeof FIGURE_NAMES)[number]]),
  relation: z.enum(['>', '>=', '<', '<=']),
  needed: z.union([z.number(), z.record(z.string(), z.number())]),
  stages: z.array(z.enum(['paper', 'live'])).min(1),
  source: z.string().default('profile file'),
});
const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  criteria: z.array(criterion).min(1),
});

/**
 * A profile by name or from a JSON file; the desk's usual one when none is named. To S1 one that is named only adds criteria.
 * Throws {@link InputError}.
 */
export function readProfile(named: string | null, desk: string): PromotionProfile {
  return named === null ? usualProfile(desk) : bindingProfile(desk, namedProfile(named));
}

function namedProfile(named: string): PromotionProfile {
  if (Object.hasOwn(PROFILES, named)) return PROFILES[named]!;
  const known = Object.keys(PROFILES).join(', ');
  if (!existsSync(named)) {
    throw new InputError(`there is no profile "${named}"`, `name one of ${known}, or a JSON file`);
  }
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(named, 'utf8'));
  } catch (cause) {
    throw new InputError(`${named} is no JSON: ${(cause as Error).message}`, 'compare it with docs/guide.md');
  }
  const read = schema.safeParse(data);
  if (read.success) {
    if (Object.hasOwn(PROFILES, read.data.name))
      throw new InputError(
        `${named}: the name "${read.data.name}" belongs to a built-in profile`,
        'choose another',
      );
    return read.data;
  }
  const issue = read.error.issues[0]!;
  throw new InputError(
    `${named}: ${issue.path.join('.') || 'the whole'}: ${issue.message}`,
    `a criterion has figure (${FIGURE_NAMES.join(', ')}), relation, needed and stages`,
  );
}
