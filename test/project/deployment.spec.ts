import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { RelayConfig } from '@relay/config';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';

import {
  compose,
  configOf,
  expectTimeToStop,
  pairs,
  read,
  ROOT,
  SAMPLE,
  seconds,
  serviceOf,
  type Environment,
  type NameValue,
} from '../support/assertions/deploy-files.js';

const HEALTH_CHECK = ['CMD', '/app/bin/mte-api-relay', 'healthcheck'];
const SENDER = 'mte-api-relay-sending';
const SENDING = { ...SAMPLE, OUTBOUND_ALLOWED_UPSTREAMS: 'https://relay.partner.example' };

describe('docker-compose.yml', () => {
  const trial = compose('docker-compose.yml');
  const [outbound, inbound] = [serviceOf(trial, 'relay-a'), serviceOf(trial, 'relay-b')];

  it('starts with the documented placeholders, outside production', () => {
    for (const relay of [outbound, inbound]) {
      const config = configOf(relay.environment ?? {});
      expect(config).toMatchObject({
        nodeEnv: 'development',
        outboundToken: 'YOUR_SECURE_OUTBOUND_ACCESS_TOKEN',
        redisUrl: 'redis://redis:6379',
      });
      expect(config.relayAudience).toHaveLength(1);
      expectTimeToStop(seconds(relay.stop_grace_period), config);
    }
  });

  it('takes both secrets and the published port, and nothing else, from the environment', () => {
    const names = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(
      ([, name]) => name,
    );
    expect(names.sort()).toEqual(['CLIENT_ID_SECRET', 'OUTBOUND_TOKEN', 'PUBLISHED_PORT']);
    const own = compose('docker-compose.yml', SAMPLE);
    expect(configOf(serviceOf(own, 'relay-a').environment ?? {})).toMatchObject({
      clientIdSecret: SAMPLE.CLIENT_ID_SECRET,
      outboundToken: SAMPLE.OUTBOUND_TOKEN,
    });
  });

  it('lets the inbound relay be scaled and gives the outbound relay a fixed name', () => {
    expect(inbound.ports).toBeUndefined();
    expect(inbound.container_name).toBeUndefined();
    expect(outbound).toMatchObject({
      container_name: 'mte-api-relay',
      ports: ['127.0.0.1:8080:8080'],
      labels: { app: 'mte-api-relay' },
    });
  });

  it('builds the image of both relays once', () => {
    expect([outbound.image, inbound.image]).toEqual(['mte-api-relay', 'mte-api-relay']);
    expect([outbound.build, inbound.build]).toEqual([undefined, { context: '.' }]);
  });

  it('means the same to both versions of Docker Compose', () => {
    expect(trial.version).toBeUndefined();
    expect(JSON.stringify(serviceOf(trial, 'redis').command)).toContain('"--save",""');
  });
});

describe('the stack of deploy/swarm', () => {
  const stack = compose('deploy/swarm/stack.yml', SAMPLE);
  const relay = serviceOf(stack, 'mte-api-relay');

  it('starts from settings and secret files, with enough time to stop', () => {
    const config = configOf(relay.environment ?? {});
    expect(config).toMatchObject({
      nodeEnv: 'production',
      upstream: SAMPLE.UPSTREAM,
      relayAudience: [SAMPLE.RELAY_AUDIENCE],
    });
    expectTimeToStop(seconds(relay.stop_grace_period), config);
    const environment = relay.environment ?? {};
    const paths = Object.keys(environment).filter((name) => name.endsWith('_FILE'));
    expect(paths.map((name) => environment[name])).toEqual(
      relay.secrets?.map(({ source }) => `/run/secrets/${source}`),
    );
  });

  it('contains no secret, and replaces a task only with a healthy one', () => {
    for (const secret of Object.values(stack.secrets ?? {})) {
      expect(secret.external).toBe(true);
    }
    expect(relay).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      labels: { app: 'mte-api-relay' },
      healthcheck: { test: HEALTH_CHECK },
      deploy: { replicas: 2, update_config: { order: 'start-first', failure_action: 'rollback' } },
    });
  });

  it('is the same in stack.dnsrr.yml, except for the port and the load balancer', () => {
    const published = '    ports:\n.*?(?=    read_only)';
    const withoutHead = (path: string): string => read(path).replace(/^(?:#.*\n)+/, '');
    const expected = withoutHead('deploy/swarm/stack.yml')
      .replace(new RegExp(published, 's'), '')
      .replace('endpoint_mode: vip', 'endpoint_mode: dnsrr');
    expect(withoutHead('deploy/swarm/stack.dnsrr.yml')).toBe(expected);
    expect(stringify(parse(expected))).not.toMatch(/published|vip/);
  });

  it('that only sends starts from secret files, has no API, no peer and no port, and has time to stop', () => {
    const sending = serviceOf(compose('deploy/swarm/sending.yml', SENDING), SENDER);
    const config = configOf(sending.environment ?? {});
    expect(config).toMatchObject({
      upstream: 'http://127.0.0.1:9',
      relayAudience: ['http://nobody.invalid'],
      outboundAllowedUpstreams: [SENDING.OUTBOUND_ALLOWED_UPSTREAMS],
      redisUrl: 'memory://',
    });
    expectTimeToStop(seconds(sending.stop_grace_period), config);
    expect(sending.ports).toBeUndefined();
    expect(sending.deploy).toEqual({ ...relay.deploy, endpoint_mode: 'dnsrr' });
    expect(sending.healthcheck).toEqual(relay.healthcheck);
    expect(sending.secrets?.map(({ source }) => source)).toEqual([
      'client_id_secret',
      'outbound_token',
    ]);
  });

  it.each([
    ['client-id-secret-alt', 'mte-api-relay', 'clientIdSecretAlt'],
    ['outbound-token-alt', 'mte-api-relay', 'outboundTokenAlt'],
    ['sending.outbound-token-alt', SENDER, 'outboundTokenAlt'],
  ])('accepts a second value with %s.yml', (file, service, property) => {
    const over = compose(`deploy/swarm/${file}.yml`);
    const { environment, secrets } = serviceOf(over, service);
    const config = configOf({ ...relay.environment, ...environment });
    expect(config[property as keyof RelayConfig]).toBeDefined();
    expect(Object.keys(over.secrets ?? {})).toEqual(secrets?.map(({ source }) => source));
  });
});

describe('the Deployment of deploy/kubernetes', () => {
  interface Container {
    readonly name: string;
    readonly env: readonly NameValue[];
  }
  const { spec } = parse(read('deploy/kubernetes/base/deployment.yaml')) as {
    spec: {
      template: {
        spec: { terminationGracePeriodSeconds: number; containers: readonly [Container] };
      };
    };
  };
  const literals = (path: string): Environment => {
    const { configMapGenerator } = parse(read(path)) as {
      configMapGenerator: readonly [{ literals: readonly string[] }];
    };
    const [{ literals: lines }] = configMapGenerator;
    return pairs(
      lines.map((line) => {
        const [name = '', value = ''] = line.split(/=(.*)/s);
        return { name, value };
      }),
    );
  };

  it.each(['receiving', 'sending'])(
    'starts with the settings of overlays/%s, with enough time to stop',
    (side) => {
      const { containers, terminationGracePeriodSeconds } = spec.template.spec;
      const config = configOf({
        ...SAMPLE,
        ...literals('deploy/kubernetes/base/kustomization.yaml'),
        ...literals(`deploy/kubernetes/overlays/${side}/kustomization.yaml`),
        ...pairs(containers[0].env),
      });
      expect(config.nodeEnv).toBe('production');
      expect(config.relayAudience).not.toHaveLength(0);
      expectTimeToStop(terminationGracePeriodSeconds, config);
    },
  );
});

describe('the task of deploy/ecs', () => {
  const { containerDefinitions } = JSON.parse(read('deploy/ecs/task-definition.json')) as {
    containerDefinitions: readonly [
      {
        environment: readonly NameValue[];
        secrets: readonly { name: keyof typeof SAMPLE }[];
        stopTimeout: number;
      },
    ];
  };
  const [relay] = containerDefinitions;

  it('starts from settings and secrets, with enough time to stop', () => {
    const secrets = relay.secrets.map(({ name }) => ({ name, value: SAMPLE[name] }));
    const config = configOf({ ...pairs(relay.environment), ...pairs(secrets) });
    expect(config.relayAudience).toHaveLength(1);
    expectTimeToStop(relay.stopTimeout, config);
    // The maximum that Fargate allows.
    expect(relay.stopTimeout).toBeLessThanOrEqual(120);
    expect(relay).toMatchObject({
      name: 'mte-api-relay',
      readonlyRootFilesystem: true,
      dockerLabels: { app: 'mte-api-relay' },
      healthCheck: { command: HEALTH_CHECK },
    });
  });
});

describe('the sides of deploy/compose', () => {
  it.each(['receiving', 'sending'])(
    '%s.yml has enough time to stop, and reads the secrets from relay.env',
    (side) => {
      const relay = serviceOf(compose(`deploy/compose/${side}.yml`, SAMPLE), 'relay');
      const config = configOf({ ...SAMPLE, ...relay.environment });
      expectTimeToStop(seconds(relay.stop_grace_period), config);
      expect(relay).toMatchObject({ env_file: 'relay.env', read_only: true, cap_drop: ['ALL'] });
      expect(Object.keys(relay.environment ?? {}).filter((name) => name in SAMPLE)).toEqual(
        side === 'receiving' ? ['REDIS_URL'] : [],
      );
    },
  );

  it('publish the relay that sends only to its machine', () => {
    const sending = serviceOf(compose('deploy/compose/sending.yml'), 'relay');
    expect(sending.ports).toEqual(['127.0.0.1:8091:8080']);
  });
});

describe.each(['docs/deployment.md', 'docs/platforms.md'])('%s', (document) => {
  it('names only files that exist', () => {
    const names = [...read(document).matchAll(/\bdeploy\/[\w./-]*\w/g)].map(([name]) => name);
    expect(names).not.toEqual([]);
    expect(names.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });
});
