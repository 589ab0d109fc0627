import { describe, expect, it } from 'vitest';

import {
  loadDirectoryFile as load,
  NEXT_SECRET,
  OTHER_SECRET,
  problemsOfDirectoryFile as problemsOf,
  SECRET,
  TOKEN_HASH as HASH,
} from '../../../../test/support/relays/directory-file.js';

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
          secretAlt: NEXT_SECRET,
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
      'relay.yaml:5: peers.payments has an unknown key here: its keys are origins, secret, secretAlt, transport, proxy, hosts, listen',
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

describe('a list of tokens', () => {
  it.each([
    ['{}', 'tokens is required'],
    ['{ tokens: }', 'tokens must be a list of mappings'],
    ['{ tokens: abc }', 'tokens must be a list of mappings'],
    ['{ tokens: [abc] }', 'tokens[0] must be a mapping'],
    ['{ tokens: [{}] }', 'tokens[0].sha256 is required'],
  ])('is refused by what is wrong with it: %s', (client, problem) => {
    const yaml = `peers: { shop: { secret: { env: SHOP } } }\nclients: { c: ${client} }`;
    expect(problemsOf(yaml)).toEqual([`relay.yaml:2: clients.c.${problem}`]);
  });
});

describe('YAML', () => {
  const inPeers = (yaml: string) => `peers:\n  shop:\n    secret: { env: SHOP }\n${yaml}`;
  const CLIENTS = 'clients: { c: { tokens: [] } }\n';

  it.each([
    ['a tag', inPeers('clients: !!map { c: { tokens: [] } }'), 4, 'must not have a tag ("!")'],
    ['a type of its own', inPeers('clients: !other { c: 1 }'), 4, 'must not have a tag ("!")'],
    ['a key twice', inPeers(`${CLIENTS}clients: {}`), 5, 'repeats a key'],
    ['a key that is no text', `? [a]\n: b\n`, 1, 'must have a text as key'],
    [
      'a second document',
      `${inPeers(CLIENTS)}---\na: b`,
      5,
      'must be one document: "---" begins a second one',
    ],
    [
      'an alias of nothing',
      inPeers('clients: *nothing'),
      4,
      'has an alias without an anchor before it: text that begins with "*" needs quotes',
    ],
    [
      'a mapping that is cut off',
      inPeers('clients: { c: { tokens: ['),
      4,
      'has a wrong indentation, or a bracket that is not closed',
    ],
    ['a key of objects', inPeers('__proto__: {}'), 4, 'must not have the key __proto__'],
    ['nothing', '', 1, 'must be a mapping with at least one of the keys peers, clients, tenants'],
    [
      'only a comment',
      '# peers',
      1,
      'must be a mapping with at least one of the keys peers, clients, tenants',
    ],
  ])('with %s is refused by its line', (_, yaml, line, rule) => {
    expect(problemsOf(yaml)).toContain(`relay.yaml:${line}: ${rule}`);
  });

  it('may use anchors, and a problem has the line of what the alias stands for', () => {
    const yaml = (routes: string) => `${inPeers('')}tenants:
  https://a.example: { upstream: http://a, routes: &routes [${routes}] }
  https://b.example: { upstream: http://b, routes: *routes }
`;
    expect(load(yaml('/api/*')).config.directory.tenants).toMatchObject([
      { routes: ['/api/*'] },
      { routes: ['/api/*'] },
    ]);
    expect(problemsOf(yaml('api'))).toEqual([
      'relay.yaml:5: tenants["https://a.example"].routes[0] must begin with "/"',
      'relay.yaml:5: tenants["https://b.example"].routes[0] must begin with "/"',
    ]);
  });

  it('that expands to billions of values, or contains itself, is refused at once', () => {
    const levels = Array.from({ length: 10 }, (_, level) =>
      level === 0
        ? 'l0: &l0 [a, a, a, a, a, a, a, a, a, a]'
        : `l${level}: &l${level} [${Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ')}]`,
    );
    expect(problemsOf(levels.join('\n')).join()).toContain('has too many values');
    expect(problemsOf('peers: &p { a: *p }').join()).toContain('is nested too deeply');
    expect(problemsOf('['.repeat(100_000)).length).toBeGreaterThan(0);
  });

  it('is not parsed if the file is too large, or not a file', () => {
    expect(problemsOf(`${GOOD}#${'a'.repeat(2 ** 20)}`)).toEqual([
      'RELAY_CONFIG_FILE must name a file of at most 1048576 bytes',
    ]);
    expect(problemsOf(GOOD, { RELAY_CONFIG_FILE: '/dev/zero' })).toEqual([
      'RELAY_CONFIG_FILE must name a file',
    ]);
  });
});
