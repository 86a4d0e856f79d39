import v8 from 'node:v8';

/**
 * The loop is many small functions called for every bar. V8 inlines them until the caller has grown by 920 bytes of
 * bytecode; past that every call is paid for and every float handed on is put into an object of its own. A larger
 * allowance makes backtests faster; take the call out and `npm run bench:sma` tells by how much. To be called before the
 * program's own code is hot.
 */
export function tuneCompiler() {
  v8.setFlagsFromString('--max-inlined-bytecode-size-cumulative=2500');
}
