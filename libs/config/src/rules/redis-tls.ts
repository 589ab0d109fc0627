import { refuseUnless } from './rule.js';

/** Refuses a TLS setting that would be without effect: the connection would be in clear. */
export function NeedsTls(): PropertyDecorator {
  return refuseUnless('needsTls', 'needs a REDIS_URL that begins with rediss', ({ redisUrl }) =>
    String(redisUrl).startsWith('rediss'),
  );
}

/** Refuses what only sentinels take where there are none. */
export function NeedsSentinels(): PropertyDecorator {
  return refuseUnless('needsSentinels', 'needs a redis+sentinel:// REDIS_URL', ({ redisUrl }) =>
    /^rediss?\+sentinel:/.test(String(redisUrl)),
  );
}
