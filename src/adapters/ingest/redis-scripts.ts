import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { DIFFERENCES_MOST, TRIM_EVERY } from './bar-streams.ts';

/** A Lua script that Redis keeps by its hash; what it does is one act. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

export const script = (text: string): RedisScript => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
});

/** Runs a script by its hash, or by its text where Redis does not know it (it forgets with a restart). */
export async function runScript(
  client: Redis,
  { sha, text }: RedisScript,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...values);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(text, keys.length, ...keys, ...values);
  }
}

/**
 * Forgets what every group has acknowledged, and nothing else: the lowest id that some group still needs is that of its
 * oldest pending entry, or the one after the last it was given. Unlike MAXLEN this never drops what nobody has dealt with.
 */
const TRIM = `
local function parts(id)
  local ms, n = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(n), ms
end
local function trim(stream)
  local low, lowMs, lowN
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local info = {}
    for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
    local ms, n, text
    if info['pending'] > 0 then
      ms, n, text = parts(redis.call('XPENDING', stream, info['name'])[2])
    else
      ms, n, text = parts(info['last-delivered-id'])
      n = n + 1
    end
    if low == nil or ms < lowMs or (ms == lowMs and n < lowN) then
      low, lowMs, lowN = string.format('%s-%.0f', text, n), ms, n
    end
  end
  if low then redis.call('XTRIM', stream, 'MINID', low) end
end
`;

/**
 * The gate and the append of many bars. Keys: gate and stream of each. Values: most entries of a stream, how long the gate
 * remembers (ms), then config, bar time, received at, body and hash of each. Answers an id, `=` for a repetition, `~` for a
 * differing one, or `!` and the length for a full stream.
 *
 * The gate holds the hashes that were seen, so a retry that is sent after a lost answer is known, and a differing body is
 * queued once. Gate and entry are written together or not at all: a gate alone would lose the bar for good.
 */
export const OFFER = script(`${TRIM}
local most, gate, out = tonumber(ARGV[1]), ARGV[2], {}
for i = 1, #KEYS / 2 do
  local seen, stream, a = KEYS[2 * i - 1], KEYS[2 * i], 5 * i - 2
  local hash = ARGV[a + 4]
  local was = redis.call('GET', seen)
  if was and string.find(was, hash, 1, true) then
    out[i] = string.sub(was, 1, #hash) == hash and '=' or '~'
  elseif was and #was + 1 >= ${DIFFERENCES_MOST} * (#hash + 1) then
    out[i] = '~'
  else
    local length = redis.call('XLEN', stream)
    if length >= most or (length > 0 and length % ${TRIM_EVERY} == 0) then
      trim(stream)
      length = redis.call('XLEN', stream)
    end
    if length >= most then
      out[i] = was and '~' or ('!' .. length)
    else
      local id = redis.call('XADD', stream, '*', 'config', ARGV[a], 'barTime', ARGV[a + 1],
        'receivedAt', ARGV[a + 2], 'body', ARGV[a + 3], 'hash', hash)
      if was then
        redis.call('SET', seen, was .. ' ' .. hash, 'KEEPTTL')
        out[i] = '~'
      else
        redis.call('SET', seen, hash, 'PX', gate)
        out[i] = id
      end
    end
  end
end
return out
`);

/**
 * Moves a pending entry to the dead letters and acknowledges it. Keys: stream, dead letters. Values: group, id, reason,
 * now (ms), dead letters kept, deliveries and idle time (ms) below which it is left alone. Answers 1 when it was moved.
 */
export const BURY = script(`
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)[1]
if not pending or pending[4] < tonumber(ARGV[6]) or pending[3] < tonumber(ARGV[7]) then return 0 end
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if found then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'stream', KEYS[1], 'entryId', ARGV[2], 'reason', ARGV[3],
    'deliveries', pending[4], 'at', ARGV[4], unpack(found[2]))
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/**
 * Sets how long pending entries have been idle, where the consumer still holds them. Key: stream. Values: group, consumer,
 * idle time (ms), deliveries that shall not have been any, then ids.
 */
export const HOLD = script(`
for i = 5, #ARGV do
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if held then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3],
      'RETRYCOUNT', math.max(0, held[4] - tonumber(ARGV[4])), 'JUSTID')
  end
end
return 0
`);

/** Forgets consumers that hold nothing and have not asked for long. Key: stream. Values: group, idle time (ms). */
export const FORGET = script(`
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local facts = {}
  for i = 1, #consumer, 2 do facts[consumer[i]] = consumer[i + 1] end
  if facts['pending'] == 0 and facts['idle'] >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], facts['name'])
  end
end
return 0
`);

/** Puts a dead letter back. Keys: dead letters, its stream. Value: its id. Answers 1 when it was there. */
export const REVIVE = script(`
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
local fields, kept = found[2], {}
for i = 11, #fields do kept[#kept + 1] = fields[i] end
redis.call('XADD', KEYS[2], '*', unpack(kept))
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
`);
