import { describe, expect, it } from 'vitest';
import { describeConfig } from './describe-config.js';
import { loadConfig } from './load-config.js';
import { RelayConfig } from './relay-config.js';

const { config } = loadConfig({
  UPSTREAM: 'http://localhost:3000/base',
  CLIENT_ID_SECRET: 'canary-secret-kq7Zt1mXw9LrB4vNc8',
  CLIENT_ID_SECRET_ALT: 'canary-second-secret-9LrB4vNc8',
  OUTBOUND_TOKEN: 'canary-token-of-the-relay',
  OUTBOUND_TOKEN_ALT: 'canary-second-token',
  REDIS_URL: 'memory://',
  ADMIN_TOKEN: 'canary-token-of-operators',
  HEADERS: '{"X-Zone":"canary"}',
  REQUEST_HEADERS: '{"Authorization":"Basic canary"}',
  RESPONSE_HEADERS: '{"Set-Cookie":"a=canary"}',
  OUTBOUND_ALLOWED_UPSTREAMS: 'http://b.example',
});

const withRedis = (redisUrl: string): RelayConfig =>
  Object.assign(new RelayConfig(), config, { redisUrl });

describe('the description of a configuration', () => {
  it('contains no credentials', () => {
    expect(JSON.stringify(describeConfig(config))).not.toContain('canary');
  });

  it('shows values, masks credentials, and shows null for what is unset', () => {
    expect(describeConfig(config)).toMatchObject({
      upstream: 'http://localhost:3000/base',
      clientIdSecret: '***',
      clientIdSecretAlt: '***',
      clientId: null,
      outboundToken: '***',
      adminToken: '***',
      redisUrl: 'memory://',
      port: 8080,
      headers: { 'x-zone': '***' },
      requestHeaders: { authorization: '***' },
      responseHeaders: { 'set-cookie': '***' },
      outboundAllowedUpstreams: ['http://b.example'],
      mteRoutes: null,
    });
  });

  it('shows null for an alternative secret that is unset', () => {
    const unset = Object.assign(new RelayConfig(), config, { clientIdSecretAlt: undefined });
    expect(describeConfig(unset)).toMatchObject({ clientIdSecretAlt: null });
  });

  it.each([
    ['redis://localhost:6379/1', 'redis://localhost:6379/1'],
    ['rediss://user:canary@redis.example', 'rediss://***@redis.example'],
    ['redis+sentinel://:canary@a:1,b/main/2', 'redis+sentinel://***@a:1,b/main/2'],
  ])('shows %s as %s', (redisUrl, shown) => {
    expect(describeConfig(withRedis(redisUrl)).redisUrl).toBe(shown);
  });
});
