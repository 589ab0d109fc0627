import { Refused } from './rule.js';

/** `memory://`, or a redis or rediss URL that names a host. */
export function redisUrl(text: string): string | Refused {
  const isRedis =
    /^rediss?:\/\/\S+$/.test(text) && URL.canParse(text) && new URL(text).hostname !== '';
  return text === 'memory://' || isRedis
    ? text
    : new Refused('must be memory://, or a redis:// or rediss:// URL with a host');
}
