import { refuseUnless } from './rule.js';

/** Refuses a TLS setting that would have no effect, because the connection is in plaintext. */
export function NeedsTls(): PropertyDecorator {
  return refuseUnless('needsTls', 'needs a REDIS_URL that begins with rediss', ({ redisUrl }) =>
    String(redisUrl).startsWith('rediss'),
  );
}

/** Refuses a setting of the sentinels if there are no sentinels. */
export function NeedsSentinels(): PropertyDecorator {
  return refuseUnless('needsSentinels', 'needs a redis+sentinel:// REDIS_URL', ({ redisUrl }) =>
    /^rediss?\+sentinel:/.test(String(redisUrl)),
  );
}
