import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ConfigInvalidError } from '../config.errors.js';
import { loadConfig } from '../load-config.js';

const SECRET = '2DkV4DDabehO8cifDktdF9elKJL0CKrk';
const OTHER_SECRET = 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE';
const HASH = createHash('sha256').update('a token').digest('hex');

const GOOD = `
peers:
  payments:
    origins: [https://relay-1.pay.example, HTTPS://relay-2.pay.example:443/]
    secret: { file: payments }
    secretAlt: { env: NEXT }
    transport: channel
    proxy: { env: PROXY }
  shop:
    secret: { env: SHOP }
clients:
  billing:
    tokens:
      - { sha256: "${HASH}", expires: 2027-03-01 }
    peers: [payments]
    limits: { requestsPerSecond: 200, concurrent: 100 }
tenants:
  https://api.tenant1.example:
    aliases: [https://api.tenant1.example:8443]
    upstream: https://10.0.0.5:8443/
    upstreamTls: { serverName: api.internal }
    upstreamHost: client
    peers: [shop]
    routes: [/api/*]
    passThroughRoutes: []
    corsOrigins: []
    headers: {}
    forwardClient: X-Mte-Client
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'directory-file-'));
  writeFileSync(join(folder, 'payments'), `${SECRET}\n`);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const load = (yaml: string, environment: NodeJS.ProcessEnv = {}) => {
  const path = join(folder, 'relay.yaml');
  writeFileSync(path, yaml);
  return loadConfig({
    REDIS_URL: 'memory://',
    RELAY_CONFIG_FILE: path,
    NEXT: 'V9wJbYx3Qm5RtK8zLp2NsHd7Gf4CaE6u',
    SHOP: OTHER_SECRET,
    PROXY: 'http://user:word@proxy.example:3128',
    ...environment,
  });
};

const problemsOf = (yaml: string, environment: NodeJS.ProcessEnv = {}): readonly string[] => {
  try {
    load(yaml, environment);
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
  return [];
};

describe('a directory file', () => {
  it('becomes peers, clients and tenants', () => {
    expect(load(GOOD).config.directory).toEqual({
      peers: [
        {
          name: 'payments',
          reach: {
            kind: 'origins',
            origins: ['https://relay-1.pay.example', 'https://relay-2.pay.example'],
          },
          secret: SECRET,
          secretAlt: 'V9wJbYx3Qm5RtK8zLp2NsHd7Gf4CaE6u',
          transport: 'channel',
          proxy: 'http://user:word@proxy.example:3128',
        },
        {
          name: 'shop',
          reach: { kind: 'origins', origins: [] },
          secret: OTHER_SECRET,
          transport: 'auto',
        },
      ],
      clients: [
        {
          name: 'billing',
          tokens: [{ sha256: HASH, expiresAtMs: Date.UTC(2027, 2, 1) }],
          peers: ['payments'],
          limits: { requestsPerSecond: 200, concurrent: 100 },
        },
      ],
      tenants: [
        {
          name: 'https://api.tenant1.example',
          audiences: ['https://api.tenant1.example', 'https://api.tenant1.example:8443'],
          upstream: 'https://10.0.0.5:8443',
          upstreamTls: { serverName: 'api.internal' },
          upstreamHost: 'client',
          peers: ['shop'],
          routes: ['/api/*'],
          passThroughRoutes: [],
          corsOrigins: [],
          corsMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
          headers: [],
          requestHeaders: [],
          responseHeaders: [],
          forwardClient: 'x-mte-client',
        },
      ],
    });
  });

  it('is reported with all of its problems, by line and key and without a value', () => {
    const lines = problemsOf(
      `peers:
  payments:
    origin: [https://a.example]
    secret: ${SECRET}
    ${OTHER_SECRET}: x
  shop:
    secret: { file: gone }
    origins: [https://b.example, ftp://b.example]
clients:
  billing:
    tokens: [{ sha256: abc }, { sha256: "${HASH}", expires: 2027-02-30 }]
    peers: [shopp]
    limits: { concurrent: 0 }
tenants:
  https://api.example/path: { upstream: http://a }
  https://api.example: { upstream: http://a, routes: }
`,
      { UPSTREAM: 'http://a' },
    );
    expect(lines).toEqual([
      'relay.yaml:3: peers.payments.origin is no key: did you mean origins?',
      'relay.yaml:4: peers.payments.secret must be { file: PATH } or { env: NAME }: a secret does not stand in this file itself',
      'relay.yaml:5: peers.payments has an unknown key here: its keys are origins, secret, secretAlt, transport, proxy',
      'relay.yaml:7: peers.shop.secret.file cannot be read (ENOENT)',
      'relay.yaml:8: peers.shop.origins[1] must be an http or https URL',
      'relay.yaml:11: clients.billing.tokens[0].sha256 must be the SHA-256 of a token: 64 hexadecimal digits',
      'relay.yaml:11: clients.billing.tokens[1].expires must be a date, such as 2027-03-01 or 2027-03-01T12:00:00Z',
      'relay.yaml:12: clients.billing.peers[0] must be a name under peers: did you mean shop?',
      'relay.yaml:13: clients.billing.limits.concurrent must be an integer from 1 to 1000000',
      'relay.yaml:14: tenants must not be there together with the variable UPSTREAM',
      'relay.yaml:15: tenants has a name here that must not have a path',
      'relay.yaml:16: tenants["https://api.example"].routes must be a list',
    ]);
  });
});
