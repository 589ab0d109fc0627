import { describe, expect, it } from 'vitest';

import {
  CHART,
  hasHelm,
  ran,
  refusal,
  rendered,
  type Values,
} from '../support/assertions/helm-chart.js';

const SEND = {
  role: 'send',
  allowedUpstreams: ['https://relay.partner.example'],
  secrets: { existing: 'mte-api-relay-secret' },
};
const RECEIVE = {
  role: 'receive',
  upstream: 'http://api.internal:3000',
  audience: ['https://relay.example.com'],
  secrets: { existing: 'mte-api-relay-secret' },
  redis: { url: 'redis://redis:6379' },
};
const FILE = { role: 'send', configFile: { configMap: 'directory' } };
const LISTENER = { name: 'orders', port: 9101 };
const CREATED = { clientIdSecret: 'a'.repeat(32), outboundToken: 'b'.repeat(32) };

/** What is wrong, the values, and what the message says, which begins with the key to change. */
const WRONG: readonly (readonly [string, Values, string])[] = [
  ['no role', { ...SEND, role: '' }, "'/role': value must be one of 'send', 'receive', 'both'"],
  ['an unknown key', { ...SEND, setings: {} }, "additional properties 'setings' not allowed"],
  [
    'an unknown variable',
    { ...SEND, settings: { MTE_ROUTE: '/' } },
    "'/settings': additional properties 'MTE_ROUTE' not allowed",
  ],
  [
    'a secret as a setting',
    { ...SEND, settings: { OUTBOUND_TOKEN: 'x' } },
    "'/settings': additional properties 'OUTBOUND_TOKEN' not allowed",
  ],
  [
    'an origin without a scheme',
    { ...SEND, allowedUpstreams: ['relay.example.com'] },
    "'/allowedUpstreams/0': 'relay.example.com' does not match",
  ],
  ['a port that is none', { ...SEND, admin: { port: 70000 } }, "'/admin/port': maximum"],
  ['text for a number', { ...SEND, replicas: 'two' }, "'/replicas': got string, want integer"],
  [
    'another transport',
    { ...SEND, channels: { transport: 'channels' } },
    "'/channels/transport': value must be one of",
  ],
  [
    'a short secret',
    { ...SEND, secrets: { create: { ...CREATED, clientIdSecret: 'short' } } },
    "'/secrets/create/clientIdSecret': minLength: got 5, want 16",
  ],
  ['no secrets', { ...SEND, secrets: {} }, 'secrets.existing is required'],
  [
    'send without a token',
    { ...SEND, secrets: { create: { clientIdSecret: CREATED.clientIdSecret } } },
    'or secrets.create.outboundToken',
  ],
  [
    'send without the key of the token',
    { ...SEND, secrets: { existing: 'secret', keys: { outboundToken: '' } } },
    'secrets.keys.outboundToken is required',
  ],
  [
    'secrets from two places',
    { ...SEND, secrets: { existing: 'secret', create: CREATED } },
    'secrets.existing and secrets.create exclude each other',
  ],
  [
    'a setting that the Secret has too',
    {
      ...SEND,
      secrets: { ...SEND.secrets, keys: { peerProxyUrl: 'proxy' } },
      settings: { PEER_PROXY_URL: 'http://proxy.example:3128' },
    },
    'settings.PEER_PROXY_URL must not be set',
  ],
  [
    'send without peers',
    { ...SEND, allowedUpstreams: [] },
    'allowedUpstreams is required for role send',
  ],
  ['send with an API', { ...SEND, upstream: 'http://api' }, 'upstream and audience are for'],
  ['receive without an API', { ...RECEIVE, upstream: '' }, 'upstream is required for role receive'],
  ['receive without an origin', { ...RECEIVE, audience: [] }, 'audience is required for role'],
  [
    'receive with peers to call',
    { ...RECEIVE, allowedUpstreams: ['https://relay.example.com'] },
    'allowedUpstreams is for the roles send and both',
  ],
  [
    'both without peers to call',
    { ...RECEIVE, role: 'both' },
    'allowedUpstreams is required for role both',
  ],
  [
    'receive without a Redis',
    { ...RECEIVE, redis: {} },
    'secrets.keys.redisUrl is required: the key of the Secret mte-api-relay-secret, or redis.url',
  ],
  [
    'receive without a Redis among created secrets',
    { ...RECEIVE, redis: {}, secrets: { create: CREATED } },
    'or secrets.create.redisUrl, or redis.url',
  ],
  [
    'a Redis from two places',
    { ...RECEIVE, secrets: { ...RECEIVE.secrets, keys: { redisUrl: 'redis-url' } } },
    'redis.url must not be set: the Secret has it',
  ],
  [
    'several workers with memory://',
    { ...SEND, settings: { WORKERS: 2 } },
    'settings.WORKERS needs a Redis',
  ],
  [
    'several replicas with memory://',
    { ...RECEIVE, redis: { url: 'memory://' }, autoscaling: { enabled: false }, replicas: 2 },
    'redis.url must be a Redis for role receive with up to 2 replicas',
  ],
  [
    'autoscaling with memory://',
    { ...RECEIVE, redis: { url: 'memory://' }, replicas: 1 },
    'redis.url must be a Redis for role receive with up to 10 replicas',
  ],
  [
    'a readable password',
    { ...RECEIVE, redis: { url: 'redis://:password@redis:6379' } },
    'redis.url must not have a password',
  ],
  [
    'the password of a proxy',
    { ...SEND, settings: { PEER_PROXY_URL: 'http://relay:password@proxy.example:3128' } },
    'settings.PEER_PROXY_URL must not have a password, which would be readable: put the URL into the Secret, as its key secrets.keys.peerProxyUrl',
  ],
  [
    'the password of a collector',
    { ...SEND, traces: { endpoint: 'http://relay:password@collector:4318' } },
    'traces.endpoint must not have a password, which would be readable: put a header authorization into the Secret, as its key secrets.keys.otlpHeaders',
  ],
  [
    'fewer replicas at most than at least',
    { ...SEND, autoscaling: { minReplicas: 11 } },
    'autoscaling.minReplicas must not be greater',
  ],
  [
    'an Ingress for send',
    { ...SEND, ingress: { enabled: true, hosts: ['relay.example.com'] } },
    'ingress.enabled must be false for role send',
  ],
  [
    'an Ingress without a host',
    { ...RECEIVE, ingress: { enabled: true } },
    'ingress.hosts is required',
  ],
  [
    'a published port for send',
    { ...SEND, service: { type: 'NodePort' } },
    'service.type must be ClusterIP for role send',
  ],
  [
    'a directory file from two places',
    { ...FILE, configFile: { configMap: 'a', secret: 'b' } },
    'configFile.content, configFile.configMap and configFile.secret exclude each other',
  ],
  [
    'what a directory file says too',
    { ...FILE, allowedUpstreams: ['https://relay.example.com'] },
    'allowedUpstreams must not be set together with configFile',
  ],
  [
    'a secret that a directory file says too',
    { ...FILE, secrets: { create: CREATED } },
    'secrets.create.clientIdSecret must not be set together with configFile',
  ],
  [
    'secrets of peers without a directory file',
    { ...SEND, configFile: { peerSecrets: ['orders'] } },
    'configFile.peerSecrets is for a file',
  ],
  [
    'a listener without a directory file',
    { ...SEND, service: { listeners: [{ name: 'orders', port: 9101 }] } },
    'service.listeners is for listeners that a configFile opens',
  ],
  [
    'a listener of a relay without clients',
    { ...FILE, role: 'receive', redis: RECEIVE.redis, service: { listeners: [LISTENER] } },
    'service.listeners is for the roles send and both',
  ],
  [
    'a published listener',
    {
      ...FILE,
      role: 'both',
      redis: RECEIVE.redis,
      service: { type: 'LoadBalancer', listeners: [LISTENER] },
    },
    'service.type must be ClusterIP with service.listeners',
  ],
  ['the main port as that of the admin listener', { ...SEND, admin: { port: 8080 } }, 'admin.port'],
  ...[8080, 9464, 80].map(
    (port) =>
      [
        `a listener at port ${port}, which is taken`,
        { ...FILE, service: { listeners: [{ ...LISTENER, port }] } },
        `service.listeners: port ${port} of orders is taken`,
      ] as const,
  ),
  [
    'two listeners at one port',
    { ...FILE, service: { listeners: [LISTENER, { ...LISTENER, name: 'billing' }] } },
    'service.listeners: port 9101 of billing is taken',
  ],
  [
    'any host as an origin',
    { ...RECEIVE, audience: [], ingress: { enabled: true, hosts: ['*.example.com'] } },
    'audience is required if a host of ingress.hosts has a *',
  ],
  [
    'null for what it needs',
    { ...SEND, autoscaling: null, settings: null, probes: { startup: null } },
    "missing properties 'settings', 'autoscaling'\n- at '/probes': missing property 'startup'",
  ],
];

const json = (values: Values): string => JSON.stringify(values);

/** What helm prints after an installation. */
function notes(values: Values): string {
  const args = ['install', 'mte-api-relay', CHART, '--dry-run=client', '--values', '-'];
  const { status, stdout } = ran('helm', args, json(values));
  expect(status).toBe(0);
  return stdout.split('\nNOTES:\n')[1] ?? '';
}

describe.skipIf(!hasHelm)('the Helm chart', () => {
  it.each(WRONG)('refuses %s, and names the key', (_, values, message) => {
    expect(refusal(values)).toContain(message);
  });

  it('shows no secret in a refusal', () => {
    const secrets = { create: { clientIdSecret: 'short', outboundToken: 'b'.repeat(32) } };
    expect(refusal({ ...SEND, secrets })).not.toMatch(/short|bbb/);
  });

  it('keeps sessions in the memory of exactly one replica', () => {
    const values = { redis: { url: 'memory://' }, autoscaling: { enabled: false }, replicas: 1 };
    expect(rendered({ ...RECEIVE, ...values })).not.toEqual([]);
  });

  it.each(['orders.eu', '2024'])(
    'refuses the release %s without a name that a service may have',
    (name) => {
      const { status, stderr } = ran(
        'helm',
        ['template', name, CHART, '--values', '-'],
        json(SEND),
      );
      expect(status).toBe(1);
      expect(stderr).toContain(`fullnameOverride is required for a release called ${name}`);
    },
  );

  it('warns after the installation of secrets that are part of the release', () => {
    expect(notes({ ...SEND, secrets: { create: CREATED } })).toContain('WARNING: the values of');
    expect(notes(SEND)).not.toContain('WARNING');
    expect(notes(SEND)).toContain('mte-api-relay check https://relay.partner.example');
  });

  it.each([
    ['http', {}, ''],
    ['http', { service: { port: 8081 } }, ':8081'],
    ['https', { settings: { TLS_CERT_FILE: '/tls/tls.crt' } }, ':80'],
    ['https', { settings: { TLS_CERT_FILE: '/tls/tls.crt' }, service: { port: 443 } }, ''],
  ])('tells clients to call %s with %j', (scheme, values, port) => {
    const url = `${scheme}://mte-api-relay-service.default.svc.cluster.local${port}`;
    expect(notes({ ...SEND, ...values })).toContain(`call ${url}, from where`);
  });

  it('tells who else may use a relay for both as a client', () => {
    const both = { ...RECEIVE, role: 'both', allowedUpstreams: SEND.allowedUpstreams };
    const peers = [{ ipBlock: { cidr: '192.0.2.0/24' } }];
    const noted = (networkPolicy: Values) => notes({ ...both, networkPolicy });
    expect(noted({ peers })).toContain('from where networkPolicy.clients or networkPolicy.peers');
    expect(noted({})).toContain('from anywhere: networkPolicy.peers is empty');
    expect(noted({ enabled: false })).not.toContain('networkPolicy');
  });
});
