import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

/**
 * The five operations as Redis scripts, protocol.md section 5. A script is atomic: what it reads is still true when it
 * writes. KEYS[1] is the only key of the session: if the bitmap had its own key, evicting that key alone would make
 * every replay look new. A Lua string can contain any byte.
 */

/**
 * Identifies the server's history. Redis changes this id whenever marks may have been lost: at a restart, including one
 * from a snapshot, and at a failover. Each script reads the id itself, because Redis may restart between two scripts. A
 * server that reports no id counts as all zeros, and the relay warns about it when the store becomes available.
 */
const EPOCH = `
local replid = 'master_replid:(' .. string.rep('%x', ${EPOCH_BYTES}) .. ')'
local epoch = string.match(redis.call('INFO', 'replication'), replid) or string.rep('0', ${EPOCH_BYTES})
`;

/** ARGV: lifetime in ms. Returns "" if the id is taken, even by a dead session: an id is used only once. */
const RESERVE = `${EPOCH}
if not redis.call('SET', KEYS[1], 'r', 'NX', 'PX', ARGV[1]) then
  return ''
end
return epoch
`;

/**
 * ARGV: blob without its epoch, that epoch. KEEPTTL, because a session's lifetime starts with RESERVE. The epoch is
 * compared because the blob is bound to it: a blob sealed for an older history could never be opened.
 */
const PUT = `${EPOCH}
if redis.call('GET', KEYS[1]) ~= 'r' or ARGV[2] ~= epoch then
  return 0
end
redis.call('SET', KEYS[1], epoch .. ARGV[1], 'KEEPTTL')
return 1
`;

/**
 * ARGV: lifetime in ms. Anything but a live session of this history is killed before it is reported: "no such session"
 * must stay true, also after a replay of the pairing. The write has a second
 * purpose: it makes a read-only replica fail instead of reporting "absent".
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
 * ARGV: sequence number, head of the blob that was opened, lifetime in ms, number of the message that this one replaces or "".
 * Returns bit 0 for the message's own number and bit 1 for the replaced one, each set if that number was marked before. Both are
 * marked in one step, so that of an original and its replacement at most one is ever forwarded. The nonce in the head identifies exactly
 * that session. A session that a replayed pairing created again under the same id, after an eviction, has an empty
 * bitmap and would accept every old message as new.
 */
const MARK = `${EPOCH}
if redis.call('STRLEN', KEYS[1]) < ${BLOB_BYTES}
  or redis.call('GETRANGE', KEYS[1], 0, ${BLOB_HEAD_BYTES - 1}) ~= ARGV[2]
  or string.sub(ARGV[2], 1, ${EPOCH_BYTES}) ~= epoch
then
  redis.call('SET', KEYS[1], 'x', 'PX', ARGV[3])
  return -1
end
local original = 0
if ARGV[4] ~= '' then
  original = redis.call('SETBIT', KEYS[1], ${BLOB_BYTES * 8} + ARGV[4], 1)
end
return 2 * original + redis.call('SETBIT', KEYS[1], ${BLOB_BYTES * 8} + ARGV[1], 1)
`;

/** ARGV: lifetime in ms. The entry remains, as "x", so that the id cannot be reserved again. */
const KILL = `
redis.call('SET', KEYS[1], 'x', 'PX', ARGV[1])
return 1
`;

/** A script of Redis, in the form that ioredis expects. */
export interface RedisScript {
  readonly lua: string;
  readonly numberOfKeys: number;
}

/** The scripts of sessions. ioredis sends EVALSHA, and EVAL if Redis does not have the script. */
export const SESSION_SCRIPTS = {
  sessionReserve: { lua: RESERVE, numberOfKeys: 1 },
  sessionPut: { lua: PUT, numberOfKeys: 1 },
  sessionOpen: { lua: OPEN, numberOfKeys: 1 },
  sessionMark: { lua: MARK, numberOfKeys: 1 },
  sessionKill: { lua: KILL, numberOfKeys: 1 },
} as const satisfies Readonly<Record<string, RedisScript>>;

/** The commands that ioredis creates from the scripts, in the variants whose replies are bytes. */
export interface SessionCommands {
  sessionReserveBuffer(key: string, lifetimeMs: number): Promise<unknown>;
  sessionPutBuffer(key: string, sealed: Buffer, epoch: Buffer): Promise<unknown>;
  sessionOpenBuffer(key: string, lifetimeMs: number): Promise<unknown>;
  sessionMarkBuffer(
    key: string,
    sequence: number,
    blobHead: Buffer,
    lifetimeMs: number,
    replaces: number | '',
  ): Promise<unknown>;
  sessionKillBuffer(key: string, lifetimeMs: number): Promise<unknown>;
}
