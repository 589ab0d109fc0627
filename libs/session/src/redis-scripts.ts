import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

/**
 * The five operations as Redis runs them, protocol.md section 5. A script is atomic, so that what it reads is still true
 * when it writes. KEYS[1] is the session's one key: were the bitmap a key of its own, evicting it alone would make every
 * replay look new. Strings in Lua hold any byte.
 */

/**
 * Names the server's history. Redis takes another id whenever marks may have been lost: at a restart, also one from a
 * snapshot, and at a failover. It is read within each script, as a restart may come between two of them. A server that
 * tells none gets zeros; the start-up probe warns of that.
 */
const EPOCH = `
local replid = 'master_replid:(' .. string.rep('%x', ${EPOCH_BYTES}) .. ')'
local epoch = string.match(redis.call('INFO', 'replication'), replid) or string.rep('0', ${EPOCH_BYTES})
`;

/** ARGV: lifetime ms. "" where the id is taken, be it by a dead session: an id is used once. */
const RESERVE = `${EPOCH}
if not redis.call('SET', KEYS[1], 'r', 'NX', 'PX', ARGV[1]) then
  return ''
end
return epoch
`;

/**
 * ARGV: blob behind its epoch, that epoch. KEEPTTL, as a session lives one lifetime from RESERVE on. The epoch is
 * compared because the blob is bound to it: one sealed for an older history could never be opened.
 */
const PUT = `${EPOCH}
if redis.call('GET', KEYS[1]) ~= 'r' or ARGV[2] ~= epoch then
  return 0
end
redis.call('SET', KEYS[1], epoch .. ARGV[1], 'KEEPTTL')
return 1
`;

/**
 * ARGV: lifetime ms. What is not a live session of this history is killed before it is reported: "no such session"
 * promises that the message can never be forwarded, also not after a replay of the pairing. The write has a second
 * use: a read-only replica fails here instead of answering "absent".
 */
const OPEN = `${EPOCH}
local blob = redis.call('GETRANGE', KEYS[1], 0, ${BLOB_BYTES - 1})
if #blob == ${BLOB_BYTES} and string.sub(blob, 1, ${EPOCH_BYTES}) == epoch then
  return blob
end
redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])
return ''
`;

/**
 * ARGV: sequence number, head of the blob that was opened, lifetime ms. The head names that very session by its nonce:
 * one that was made again under the same id, by a replayed pairing after an eviction, has an empty bitmap and would
 * take every old message for new.
 */
const MARK = `${EPOCH}
if redis.call('STRLEN', KEYS[1]) < ${BLOB_BYTES}
  or redis.call('GETRANGE', KEYS[1], 0, ${BLOB_HEAD_BYTES - 1}) ~= ARGV[2]
  or string.sub(ARGV[2], 1, ${EPOCH_BYTES}) ~= epoch
then
  redis.call('SET', KEYS[1], 'x', 'PX', ARGV[3])
  return -1
end
return redis.call('SETBIT', KEYS[1], ${BLOB_BYTES * 8} + ARGV[1], 1)
`;

/** ARGV: lifetime ms. The entry stays, as "x", so that the id cannot be reserved again. */
const KILL = `
redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])
return 1
`;

/** In the form that ioredis takes: it sends EVALSHA, and EVAL where Redis does not know the script (any more). */
export const SESSION_SCRIPTS = {
  sessionReserve: { lua: RESERVE, numberOfKeys: 1 },
  sessionPut: { lua: PUT, numberOfKeys: 1 },
  sessionOpen: { lua: OPEN, numberOfKeys: 1 },
  sessionMark: { lua: MARK, numberOfKeys: 1 },
  sessionKill: { lua: KILL, numberOfKeys: 1 },
} as const;

/** What ioredis makes of the scripts, in the variants whose replies are bytes. */
export interface SessionCommands {
  sessionReserveBuffer(key: string, lifetimeMs: number): Promise<unknown>;
  sessionPutBuffer(key: string, sealed: Buffer, epoch: Buffer): Promise<unknown>;
  sessionOpenBuffer(key: string, lifetimeMs: number): Promise<unknown>;
  sessionMarkBuffer(
    key: string,
    sequence: number,
    blobHead: Buffer,
    lifetimeMs: number,
  ): Promise<unknown>;
  sessionKillBuffer(key: string, lifetimeMs: number): Promise<unknown>;
}
