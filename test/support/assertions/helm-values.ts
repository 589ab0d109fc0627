import { createHash } from 'node:crypto';

import { SAMPLE } from './deploy-files.js';
import type { Mounted, Values } from './helm-chart.js';

export const PEER = 'https://relay.partner.example';
const TOKEN = createHash('sha256').update(SAMPLE.OUTBOUND_TOKEN).digest('hex');

export const SEND = {
  role: 'send',
  allowedUpstreams: [PEER],
  secrets: { existing: 'mte-api-relay-secret' },
};
export const RECEIVE = {
  role: 'receive',
  upstream: SAMPLE.UPSTREAM,
  ingress: { enabled: true, hosts: ['relay.example.com'] },
  secrets: { existing: 'mte-api-relay-secret', keys: { redisUrl: 'redis-url' } },
};
const BOTH = { ...RECEIVE, role: 'both', allowedUpstreams: [PEER] };

/** Every value that has an effect besides those of a directory file. */
export const ALL = {
  ...BOTH,
  image: {
    repository: 'registry.example.com/mte-api-relay',
    digest: `sha256:${'a'.repeat(64)}`,
    pullPolicy: 'Always',
    pullSecrets: ['registry'],
  },
  secrets: {
    create: {
      clientIdSecret: SAMPLE.CLIENT_ID_SECRET,
      clientIdSecretAlt: SAMPLE.CLIENT_ID_SECRET_ALT,
      outboundToken: SAMPLE.OUTBOUND_TOKEN,
      outboundTokenAlt: SAMPLE.OUTBOUND_TOKEN_ALT,
      redisUrl: SAMPLE.REDIS_URL,
      adminToken: 'nB5xW2kLq8Zt3YvC7rJd',
      peerProxyUrl: 'http://user:password@proxy.example:3128',
      otlpHeaders: 'api-key=kq7Zt1mXw9LrB4v',
    },
  },
  audience: [SAMPLE.RELAY_AUDIENCE, 'http://relay.internal:8080'],
  channels: {
    transport: 'channel',
    perPeer: 3,
    maxPerPeer: 24,
    lifetimeSeconds: 900,
    bufferBytes: 536870912,
  },
  traces: { endpoint: 'http://collector.monitoring:4318' },
  admin: { port: 9000 },
  shutdown: { delayMs: 20_000, timeoutMs: 40_001 },
  settings: { MTE_ROUTES: '/api/*', OTEL_TRACES_SAMPLER_ARG: 0.25, DEBUG: true },
  env: [
    { name: 'NODE_EXTRA_CA_CERTS', value: '/etc/authorities/ca.pem' },
    { name: 'REDIS_SENTINEL_PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'p' } } },
  ],
  autoscaling: { minReplicas: 3, maxReplicas: 6, averageCpu: '500m' },
  service: { type: 'LoadBalancer', port: 8080, annotations: { scope: 'internal' } },
  ingress: {
    enabled: true,
    className: 'nginx',
    hosts: ['relay.example.com', 'relay.example.org'],
    tlsSecret: 'certificate',
  },
  networkPolicy: { peers: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '30s' },
  serviceAccount: { create: true, annotations: { owner: 'platform' } },
  podLabels: { team: 'platform' },
  nodeSelector: { pool: 'relays' },
  tolerations: [{ key: 'pool', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'high',
  volumes: [{ name: 'authorities', configMap: { name: 'authorities' } }],
  volumeMounts: [{ name: 'authorities', mountPath: '/etc/authorities' }],
};

export const DIRECTORY = `
peers:
  orders:
    origins: [${PEER}]
    secret: { file: orders.secret }
    listen: { address: 0.0.0.0:9101, client: billing, exposed: true }
clients:
  billing:
    tokens: [{ sha256: '${TOKEN}' }]
    peers: [orders]
`;
export const WITH_FILE = {
  role: 'send',
  configFile: { content: DIRECTORY, peerSecrets: ['orders'] },
  service: { listeners: [{ name: 'orders', port: 9101 }] },
};

/** Secrets and ConfigMaps that users have created. */
export const EXISTING: Mounted = {
  'mte-api-relay-secret': {
    'client-id-secret': `${SAMPLE.CLIENT_ID_SECRET}\n`,
    'client-id-secret-alt': `${SAMPLE.CLIENT_ID_SECRET_ALT}\n`,
    'outbound-token': `${SAMPLE.OUTBOUND_TOKEN}\n`,
    'redis-url': SAMPLE.REDIS_URL,
  },
  orders: { 'orders.secret': SAMPLE.CLIENT_ID_SECRET },
  directory: { 'peers.yaml': DIRECTORY },
  'secret-directory': { 'relay.yaml': DIRECTORY },
  authorities: { 'ca.pem': '' },
};

export const CASES: readonly (readonly [string, Values])[] = [
  ['send', SEND],
  ['receive', RECEIVE],
  ['both', BOTH],
  ['both, with every value', ALL],
  ['send, with a directory file', WITH_FILE],
];
