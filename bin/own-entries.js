import * as modules from 'node:module';

/**
 * A desk file anywhere on the disk that imports `quorum` gets the program that runs it, never a second copy.
 * `base` is the URL of the program's folder (src/ or dist/), `extension` that of its files.
 */
export function serveOwnEntries(base, extension) {
  const entries = {
    quorum: `index${extension}`,
    'quorum/features': `features/index${extension}`,
    'quorum/research': `research/index${extension}`,
  };
  modules.registerHooks({
    resolve(specifier, context, next) {
      const entry = entries[specifier];
      return entry ? { url: new URL(entry, base).href, shortCircuit: true } : next(specifier, context);
    },
  });
}
