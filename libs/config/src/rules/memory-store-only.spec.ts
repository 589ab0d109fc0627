import { expect, it } from 'vitest';
import { loadConfig } from '../load-config.js';

it.each(['redis://:password@localhost:6379/0', 'rediss://redis.example'])(
  'ends the start in one line at %s',
  (REDIS_URL) => {
    const environment = {
      UPSTREAM: 'http://localhost:3000',
      CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
      OUTBOUND_TOKEN: 'token-of-28-characters-long!',
      REDIS_URL,
    };
    expect(() => loadConfig(environment)).toThrow(
      expect.objectContaining({
        problems: ['REDIS_URL must be memory:// (this version has no Redis store yet)'],
      }),
    );
  },
);
