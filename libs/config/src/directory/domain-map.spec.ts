import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { ConfigInvalidError } from '../config.errors.js';
import { loadConfig } from '../load-config.js';

const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const OTHER_SECRET = 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE';
const TOKEN = 'X3vB8mQz1LkT6wRn9YdC2hJp';
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const load = (domains: unknown, environment: NodeJS.ProcessEnv = {}) =>
  loadConfig({
    REDIS_URL: 'memory://',
    DOMAIN_MAP: typeof domains === 'string' ? domains : JSON.stringify(domains),
    ...environment,
  });
const problemsOf = (domains: unknown, environment: NodeJS.ProcessEnv = {}): readonly string[] => {
  try {
    load(domains, environment);
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
  return [];
};

describe('DOMAIN_MAP', () => {
  it('makes of each host a tenant, with a peer and a client of its own, in either spelling', () => {
    const { directory } = load({
      'API.tenant1.com': {
        upstream: 'https://backend1.internal',
        cors_origins: ['https://app.tenant1.com'],
        client_id_secret: SECRET,
        outbound_token: TOKEN,
      },
      'api.tenant2.com:8443': {
        upstream: 'http://backend2.internal/base',
        clientIdSecret: OTHER_SECRET,
        passThroughRoutes: ['/health'],
      },
    }).config;
    expect(directory.peers).toMatchObject([
      { name: 'api.tenant1.com', secret: SECRET, reach: { kind: 'named' } },
      { name: 'api.tenant2.com:8443', secret: OTHER_SECRET },
    ]);
    expect(directory.clients).toEqual([
      {
        name: 'api-tenant1-com',
        tokens: [{ sha256: hashOf(TOKEN) }],
        peers: ['api.tenant1.com'],
        limits: {},
      },
    ]);
    expect(directory.tenants).toMatchObject([
      {
        name: 'https://api.tenant1.com',
        audiences: ['https://api.tenant1.com', 'http://api.tenant1.com'],
        upstream: 'https://backend1.internal',
        peers: ['api.tenant1.com'],
        corsOrigins: ['https://app.tenant1.com'],
        passThroughRoutes: [],
      },
      {
        audiences: ['https://api.tenant2.com:8443', 'http://api.tenant2.com:8443'],
        peers: ['api.tenant2.com:8443'],
        passThroughRoutes: ['/health'],
      },
    ]);
  });

  it('takes from the variables what an entry lacks, and "*" takes every other audience', () => {
    const { directory } = load(
      { '*': { upstream: 'http://rest' }, 'a.example': { upstream: 'http://a' } },
      { CLIENT_ID_SECRET: SECRET, OUTBOUND_TOKEN: TOKEN, CORS_ORIGINS: 'https://app.example' },
    ).config;
    expect(directory.peers).toMatchObject([{ name: '', secret: SECRET }]);
    expect(directory.clients).toMatchObject([{ name: '', peers: [''] }]);
    expect(directory.tenants).toMatchObject([
      { name: '', audiences: undefined, peers: [''], corsOrigins: ['https://app.example'] },
      { name: 'https://a.example', peers: [''] },
    ]);
  });

  it('gives hosts with one secret one peer, since a secret is what identifies it', () => {
    const { directory } = load({
      'a.example': { upstream: 'http://a', client_id_secret: SECRET },
      'b.example': { upstream: 'http://b', client_id_secret: SECRET },
    }).config;
    expect(directory.peers).toMatchObject([{ name: 'a.example' }]);
    expect(directory.tenants).toMatchObject([{ peers: ['a.example'] }, { peers: ['a.example'] }]);
  });

  it('names a client as a relay may name one to another, and each by itself', () => {
    const hosts = ['a.b-c.example:8443', 'a-b.c.example:8443', `${'long.'.repeat(20)}example`, '*'];
    const entries = hosts.map((host, index) => [
      host,
      { upstream: 'http://a', client_id_secret: SECRET, outbound_token: `${TOKEN}${index}` },
    ]);
    const names = load(Object.fromEntries(entries)).config.directory.clients.map(
      ({ name }) => name,
    );
    expect(names).toEqual([
      'a-b-c-example-8443',
      expect.stringMatching(/^a-b-c-example-8443-[0-9a-f]{8}$/),
      expect.stringMatching(/^(long-){11}-[0-9a-f]{8}$/),
      'other-hosts',
    ]);
    expect(names.filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([]);
  });

  it.each(['[]', '{}', 'null', '{"a":', '"a"'])('is refused as %s', (json) => {
    expect(problemsOf(json)).toEqual(['DOMAIN_MAP must be a JSON object with at least one host']);
  });

  it('is refused with all of its problems, and without a value', () => {
    expect(
      problemsOf({
        'https://a.example': {},
        'a.example': { upstream: 'ftp://a', client_id_secret: 'short', clientidsecret: SECRET },
        'A.example': { upstream: 'http://a' },
        'b.example': { upstream: 'http://b', corsOrigins: [], cors_origins: [] },
      }),
    ).toEqual([
      'DOMAIN_MAP entry 1 must have a host[:port] or "*" as key',
      'DOMAIN_MAP ["a.example"].clientidsecret is no key: did you mean clientIdSecret?',
      'DOMAIN_MAP ["a.example"].upstream must be an http or https URL',
      'DOMAIN_MAP ["a.example"].clientIdSecret must be at least 16 characters long',
      'DOMAIN_MAP entry 3 must be the only one of its host',
      'DOMAIN_MAP ["b.example"] has a key in two spellings',
    ]);
  });

  it('is refused where it would leave open what counts', () => {
    const domain = { upstream: 'http://a', client_id_secret: SECRET, outbound_token: TOKEN };
    expect(
      problemsOf(
        { 'a.example': domain, 'b.example': { ...domain, client_id_secret: OTHER_SECRET } },
        {
          UPSTREAM: 'http://b',
          RELAY_AUDIENCE: 'https://a.example',
          OUTBOUND_TOKEN: 'Y'.repeat(30),
        },
      ),
    ).toEqual([
      'DOMAIN_MAP must not be set together with UPSTREAM: add its host, or "*"',
      'DOMAIN_MAP must not be set together with RELAY_AUDIENCE: its hosts are the audiences',
      'DOMAIN_MAP needs CLIENT_ID_SECRET for the clients with OUTBOUND_TOKEN: it signs for them',
      'DOMAIN_MAP ["b.example"].outboundToken must not be a token that belongs to another secret too',
    ]);
    expect(problemsOf({ 'a.example': { upstream: 'http://a' } })).toEqual([
      'DOMAIN_MAP ["a.example"] needs a clientIdSecret, or CLIENT_ID_SECRET',
    ]);
  });

  it('has no weak secret in production', () => {
    const domains = { 'a.example': { upstream: 'http://a', client_id_secret: 'abcdefghijklmnop' } };
    expect(load(domains).warnings.join()).toContain('DOMAIN_MAP ["a.example"].clientIdSecret has');
    expect(problemsOf(domains, { NODE_ENV: 'production' }).join()).toContain(
      'DOMAIN_MAP ["a.example"].clientIdSecret has an estimated entropy',
    );
  });
});

it.each([443, 80])(
  'a host with the default port %i is the one without it, and cannot stand beside it',
  (port) => {
    const upstream = 'http://a.internal';
    expect(
      problemsOf(
        { 'a.example': { upstream }, [`a.example:${port}`]: { upstream: 'http://b.internal' } },
        { CLIENT_ID_SECRET: SECRET },
      ),
    ).toEqual(['DOMAIN_MAP entry 2 must be the only one of its host']);
  },
);
