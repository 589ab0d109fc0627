import { beforeAll, describe, expect, it } from 'vitest';

import { expectTimeToStop, read, SAMPLE } from '../support/assertions/deploy-files.js';
import {
  CHART,
  configOfPods,
  hasHelm,
  only,
  podOf,
  ran,
  rendered,
  type Values,
} from '../support/assertions/helm-chart.js';
import {
  ALL,
  CASES,
  DIRECTORY,
  EXISTING,
  PEER,
  RECEIVE,
  SEND,
  WITH_FILE,
} from '../support/assertions/helm-values.js';
import { manifestsOf, problemsOf } from '../support/assertions/kubernetes-schemas.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';

const { version } = JSON.parse(read('package.json')) as { version: string };
const shared = sharedResources();
let folder: string;
beforeAll(async () => {
  folder = shared(await temporaryFolder()).path;
});

const configOf = (values: Values) => configOfPods(rendered(values), EXISTING, folder);

describe.skipIf(!hasHelm)('the Helm chart', () => {
  it.each(CASES)('for %s passes the strict lint of helm', (_, values) => {
    const { status, stdout } = ran(
      'helm',
      ['lint', '--strict', CHART, '--values', '-'],
      JSON.stringify(values),
    );
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).not.toMatch(/WARNING|ERROR/);
  });

  it.each(CASES)('for %s makes objects that conform to the schema of the API', (_, values) => {
    const manifests = rendered(values).filter(({ kind }) => kind !== 'ServiceMonitor');
    expect(manifests.length).toBeGreaterThan(5);
    expect(manifests.flatMap((manifest) => problemsOf(manifest))).toEqual([]);
  });

  it.each(CASES)('for %s starts a relay in production that has time to stop', (_, values) => {
    const { config } = configOf(values);
    const { terminationGracePeriodSeconds } = podOf(rendered(values));
    expect(config.nodeEnv).toBe('production');
    expectTimeToStop(terminationGracePeriodSeconds, config);
    expect(Number.isInteger(terminationGracePeriodSeconds)).toBe(true);
  });

  it('for send has no API and no peers, and needs no Redis', () => {
    expect(configOf(SEND).config).toMatchObject({
      upstream: 'http://127.0.0.1:9',
      relayAudience: ['http://nobody.invalid'],
      outboundAllowedUpstreams: [PEER],
      redisUrl: 'memory://',
      clientIdSecret: SAMPLE.CLIENT_ID_SECRET,
      outboundToken: SAMPLE.OUTBOUND_TOKEN,
    });
  });

  it('for send may have a Redis nevertheless, as several workers need', () => {
    const secrets = { ...SEND.secrets, keys: { redisUrl: 'redis-url' } };
    const { config } = configOf({ ...SEND, secrets, settings: { WORKERS: 2 } });
    expect(config).toMatchObject({ redisUrl: SAMPLE.REDIS_URL, workers: 2 });
  });

  it('for receive is known by the hosts of its Ingress, and has no way to any relay', () => {
    expect(configOf(RECEIVE).config).toMatchObject({
      upstream: SAMPLE.UPSTREAM,
      relayAudience: ['https://relay.example.com'],
      outboundAllowedUpstreams: ['http://nobody.invalid'],
      redisUrl: SAMPLE.REDIS_URL,
    });
  });

  it('hands every value to the relay', () => {
    expect(configOf(ALL).config).toMatchObject({
      relayAudience: ALL.audience,
      outboundAllowedUpstreams: [PEER],
      clientIdSecretAlt: SAMPLE.CLIENT_ID_SECRET_ALT,
      outboundTokenAlt: SAMPLE.OUTBOUND_TOKEN_ALT,
      redisUrl: SAMPLE.REDIS_URL,
      adminToken: ALL.secrets.create.adminToken,
      peerProxyUrl: expect.anything() as unknown,
      otlpHeaders: expect.anything() as unknown,
      otlpEndpoint: ALL.traces.endpoint,
      otelTracesRatio: 0.25,
      tunnelTransport: 'channel',
      channelsPerPeer: 3,
      maxChannelsPerPeer: 24,
      channelLifetimeSeconds: 900,
      channelBufferBytes: 536870912,
      adminPort: 9000,
      adminHost: '0.0.0.0',
      shutdownDelayMs: 20_000,
      shutdownTimeoutMs: 40_001,
      mteRoutes: ['/api/*'],
      debug: true,
    });
  });

  it('accepts second values for a rotation, by the keys of an existing Secret', () => {
    const keys = { clientIdSecretAlt: 'client-id-secret-alt' };
    const { config } = configOf({ ...SEND, secrets: { ...SEND.secrets, keys } });
    expect(config.clientIdSecretAlt).toBe(SAMPLE.CLIENT_ID_SECRET_ALT);
  });

  it.each([
    ['the text', WITH_FILE.configFile],
    ['a ConfigMap', { configMap: 'directory', key: 'peers.yaml', peerSecrets: ['orders'] }],
    ['a Secret', { secret: 'secret-directory', peerSecrets: ['orders'] }],
  ])('takes the directory file from %s, and the secrets of peers beside it', (_, configFile) => {
    const { directory, clientIdSecret } = configOf({ ...WITH_FILE, configFile }).config;
    expect(clientIdSecret).toBeUndefined();
    expect(directory.peers.map(({ name }) => name)).toEqual(['orders']);
    expect(directory.clients.map(({ name }) => name)).toEqual(['billing']);
    expect(directory.tenants).toEqual([]);
  });

  it('keeps the text of a directory file as it is, also one that begins indented', () => {
    const content = `    # peers\n${DIRECTORY}`;
    const manifests = rendered({ ...WITH_FILE, configFile: { content } });
    expect(only(manifests, 'ConfigMap', '-directory')['data']).toEqual({ 'relay.yaml': content });
  });

  it('reads nothing from an existing Secret that a directory file says, but the URL of Redis', () => {
    const { configFile } = WITH_FILE;
    const receiving = { role: 'receive', configFile, secrets: RECEIVE.secrets };
    const { env = [] } = podOf(rendered(receiving)).containers[0];
    expect(env.map(({ name }) => name)).toEqual(['REDIS_URL_FILE', 'RELAY_CONFIG_FILE']);
    expect(configOf(receiving).config.redisUrl).toBe(SAMPLE.REDIS_URL);
  });

  it('opens the port of a listener to clients only', () => {
    const manifests = rendered(WITH_FILE);
    expect(only(manifests, 'Service')['spec']).toMatchObject({
      ports: [{ name: 'http' }, { name: 'orders', port: 9101, targetPort: 'orders' }],
    });
    expect(only(manifests, 'NetworkPolicy', '-clients')['spec']).toMatchObject({
      ingress: [{ from: [{}], ports: [{ port: 'http' }, { port: 'orders' }] }],
    });
  });

  it('replaces pods when a setting or a created secret changes, and not for a directory file', () => {
    const templateOf = (values: Values): unknown =>
      (only(rendered(values), 'Deployment')['spec'] as { template: unknown }).template;
    const secrets = (name: string) => ({
      create: { ...ALL.secrets.create, outboundToken: name.repeat(20) },
    });
    const changed: readonly (readonly [Values, Values])[] = [
      [SEND, { ...SEND, settings: { LOG_LEVEL: 'warn' } }],
      [
        { ...ALL, secrets: secrets('a') },
        { ...ALL, secrets: secrets('b') },
      ],
    ];
    for (const [before, after] of changed) {
      expect(templateOf(after)).not.toEqual(templateOf(before));
    }
    const content = `${DIRECTORY}# changed`;
    expect(templateOf({ ...WITH_FILE, configFile: { ...WITH_FILE.configFile, content } })).toEqual(
      templateOf(WITH_FILE),
    );
  });

  it('lets Prometheus read the admin listener of every pod, with its token', () => {
    const manifests = rendered(ALL);
    const key = { name: 'mte-api-relay-secret', key: 'admin-token' };
    expect(only(manifests, 'ServiceMonitor')).toMatchObject({
      apiVersion: 'monitoring.coreos.com/v1',
      metadata: { labels: { release: 'prometheus' } },
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/component': 'admin' } },
        endpoints: [
          {
            port: 'admin',
            path: '/metrics',
            interval: '30s',
            basicAuth: { username: key, password: key },
          },
        ],
      },
    });
  });

  it('gives the listener of the admin port a service that no client and no Ingress uses', () => {
    const manifests = rendered(ALL);
    const { selector } = only(manifests, 'ServiceMonitor')['spec'] as {
      selector: { matchLabels: Record<string, string> };
    };
    const labelsOf = (end: string) => only(manifests, 'Service', end).metadata.labels;
    expect(labelsOf('-admin')).toMatchObject(selector.matchLabels);
    expect(labelsOf('-service')).not.toMatchObject(selector.matchLabels);
    expect(JSON.stringify(only(manifests, 'Service', '-service')['spec'])).not.toContain('admin');
  });

  it('pulls by digest, else by the tag, else by its own version', () => {
    const imageOf = (image: Values): string =>
      podOf(rendered({ ...SEND, image })).containers[0].image;
    expect(podOf(rendered(ALL)).containers[0].image).toBe(
      `registry.example.com/mte-api-relay@sha256:${'a'.repeat(64)}`,
    );
    expect(imageOf({ tag: 'next' })).toBe('mte-api-relay:next');
    expect(imageOf({})).toBe(`mte-api-relay:${version}`);
  });

  it('labels all objects with text, also of a release whose name could be a number', () => {
    const args = ['template', '1e3', CHART, '--values', '-'];
    const { stdout } = ran('helm', args, JSON.stringify({ ...ALL, fullnameOverride: 'orders' }));
    const manifests = manifestsOf(stdout);
    expect(manifests.length).toBeGreaterThan(5);
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': '1e3' });
    }
  });

  it('keeps two releases of one namespace apart', () => {
    const of = (release: string): readonly string[] => {
      const args = ['template', release, CHART, '--values', '-'];
      const { stdout } = ran('helm', args, JSON.stringify(ALL));
      return [...stdout.matchAll(/^ {2}name: (.*)$/gm)].map(([, name = '']) => name);
    };
    const [one, other] = [of('orders'), of('billing')];
    expect(one).toContain('orders-mte-api-relay-deployment');
    expect(one.filter((name) => other.includes(name))).toEqual([]);
  });
});
