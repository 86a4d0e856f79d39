import type { IncomingMessage } from 'node:http';

/** A body that is too long is read on and dropped up to this many bytes, so that its sender reads the answer. */
const DROPPED_MOST = 1_048_576;

/**
 * Reads a body of at most `bytesMost`. Answers null for a longer one; `isWhole` says whether the request has been read to its
 * end, or the connection has to go. Answers nothing when the sender goes away.
 */
export function readBody(
  request: IncomingMessage,
  bytesMost: number,
  done: (body: Buffer | null, isWhole: boolean) => void,
): void {
  // Without either header there is no body, and the stream has ended already for some methods.
  if (Number(request.headers['content-length'] ?? 0) > Math.max(bytesMost, DROPPED_MOST))
    return done(null, false);
  let first: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  let bytes = 0;
  const onEnd = () => {
    if (bytes > bytesMost) return done(null, true);
    if (chunks !== null) return done(Buffer.concat(chunks, bytes), true);
    done(first ?? Buffer.alloc(0), true);
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMost) {
      chunks = null;
      first = null;
      if (bytes > Math.max(bytesMost, DROPPED_MOST)) {
        request.off('data', onData);
        request.off('end', onEnd);
        done(null, false);
      }
    } else if (first === null) first = chunk;
    else if (chunks === null) chunks = [first, chunk];
    else chunks.push(chunk);
  };
  request.on('data', onData);
  request.on('end', onEnd);
}
