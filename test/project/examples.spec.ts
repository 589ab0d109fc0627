import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  configOf,
  expectTimeToStop,
  pairs,
  SAMPLE,
  seconds,
  type Service,
} from '../support/assertions/deploy-files.js';
import { blocksOf } from '../support/assertions/guide-text.js';
import { manifestsOf, problemsOf } from '../support/assertions/kubernetes-schemas.js';
import {
  composeIn,
  EXAMPLES,
  exampleNames,
  filesOf,
  hasCompose,
} from '../support/examples/example-files.js';
import { sidecarOf } from '../support/examples/sidecar.js';
import { documentedBlock } from '../support/network/documented-blocks.js';

const MAX_LINES = 15;
/** Node.js reads it, and not the relay. */
const OF_NODE = 'NODE_EXTRA_CA_CERTS';
const SECRETS = {
  ...SAMPLE,
  PAYMENTS_SECRET: SAMPLE.CLIENT_ID_SECRET,
  SHIPPING_SECRET: SAMPLE.CLIENT_ID_SECRET_ALT,
  UNUSED_TOKEN: SAMPLE.OUTBOUND_TOKEN_ALT,
  RELAY_USER: '1000:1000',
};

const read = (...path: readonly string[]): string => readFileSync(join(EXAMPLES, ...path), 'utf8');

const names = exampleNames();

const relays = names.filter(hasCompose).flatMap((name) =>
  Object.entries(composeIn(join(EXAMPLES, name), SECRETS).services)
    .filter(([, { image, entrypoint }]) => image === 'mte-api-relay' && entrypoint === undefined)
    .map(([service, relay]) => [`${service} of ${name}`, relay] as const),
);

/** A relay with a directory file cannot be configured without it; it is started by the tests of packages. */
const hasDirectory = ({ environment = {} }: Service): boolean => 'RELAY_CONFIG_FILE' in environment;

it('examples/README.md lists every example', () => {
  const listed = [...read('README.md').matchAll(/^\| \[([\w-]+)\]\(([^)]+)\)/gm)];
  expect(listed.map(([, name]) => name).sort()).toEqual([...names].sort());
  expect(listed.map(([, , link]) => link)).toEqual(listed.map(([, name]) => `${name}/README.md`));
});

describe.each(names)('the example %s', (name) => {
  const readme = read(name, 'README.md');

  it('has a README of few lines besides its commands', () => {
    const lines = readme.replaceAll(/^```.*?^```$/gms, '').split('\n');
    expect(lines.filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('prints nothing but commands, of which those of Docker stand alone', () => {
    expect(readme.match(/^```\w+$/gm)).toEqual(blocksOf(readme).map(() => '```sh'));
    for (const block of blocksOf(readme).filter((one) => one.includes('docker '))) {
      expect(block).toMatch(
        /^docker compose (up (--build )?--detach|logs [\w-]+|run --rm [\w-]+)\n$/,
      );
    }
  });

  it('has no file that is not mentioned in another', () => {
    const files = filesOf(join(EXAMPLES, name));
    for (const file of files.filter((one) => !/README|docker-compose|proxy\//.test(one))) {
      const others = files.filter((one) => one !== file).map((one) => read(name, one));
      expect(others.join('\n'), file).toContain(file);
    }
  });
});

describe.each(relays)('%s', (_, relay) => {
  it.skipIf(hasDirectory(relay))('has a configuration for production', () => {
    const environment = Object.entries(relay.environment ?? {}).filter(
      ([variable]) => variable !== OF_NODE,
    );
    const config = configOf(Object.fromEntries(environment));
    expect(config.nodeEnv).toBe('production');
    expect(config.relayAudience).toHaveLength(1);
    expect(config.outboundAllowedUpstreams).toHaveLength(1);
    expectTimeToStop(seconds(relay.stop_grace_period), config);
  });

  it('has no rights that it does not need', () => {
    expect(relay).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('does not get the private key of a proxy', () => {
    for (const volume of relay.volumes ?? []) {
      expect(volume).not.toMatch(/^\.\/certificates(?::|\/tls\.key)/);
    }
  });

  it('takes every secret from .env', () => {
    expect(JSON.stringify(relay)).not.toContain('missing ');
  });
});

it('only the relay that receives is published to other machines', () => {
  const published = relays.flatMap(([name, { ports = [] }]) =>
    ports.map((port) => [name, String(port).split(':').length === 2] as const),
  );
  expect(published.filter(([, toAll]) => toAll).map(([name]) => name)).toEqual([
    'relay of receive',
  ]);
});

describe('TLS in front of a relay', () => {
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');

  it.each([
    ['Caddyfile', 'tls-caddy', 'Caddy', 'caddyfile', ['auto_https off', 'http://:8080 {']],
    ['relay.conf', 'tls-nginx', 'nginx', 'nginx', ['listen 8080;']],
  ])('%s has all that docs/deployment.md says', (file, name, heading, language, plain) => {
    const block = documentedBlock(heading, language).replace('relay-b.internal', 'relay-b');
    const documented = lines(block).filter((line) => !plain.includes(line));
    const own = lines(read(name, file));
    expect(documented.filter((line) => !own.includes(line))).toEqual([]);
  });

  it('at Caddy goes on for channels when the configuration is replaced', () => {
    expect(lines(read('tls-caddy', 'Caddyfile'))).toContain('stream_close_delay 15m');
  });
});

describe('the manifest of kubernetes-sidecar', () => {
  const text = read('kubernetes-sidecar', 'orders.yaml');
  const sidecar = sidecarOf(text);

  it.each(manifestsOf(text).map((manifest) => [manifest.kind, manifest] as const))(
    '%s conforms to the schema of the API',
    (_, manifest) => {
      expect(problemsOf(manifest)).toEqual([]);
    },
  );

  it('has what the commands of its README name', () => {
    const [create = '', run = ''] = blocksOf(read('kubernetes-sidecar', 'README.md'));
    expect(create).toContain(`secret generic ${sidecar.secret} --from-file ${sidecar.secretFile}`);
    expect(create).toContain(`rollout status deployment/${sidecar.deployment} `);
    expect(run).toContain(
      `exec deployment/${sidecar.deployment} --container ${sidecar.application} -- `,
    );
  });

  it('opens to other pods only the admin listener, with a password that its README makes', () => {
    const { HOST, ADMIN_TOKEN_FILE } = pairs(sidecar.environment);
    expect(HOST).toBe('127.0.0.1');
    expect(ADMIN_TOKEN_FILE).toBe(`${sidecar.mountPath}/admin-token`);
    expect(read('kubernetes-sidecar', 'README.md')).toContain('--from-literal admin-token=');
  });

  it('gives the relay time to stop', () => {
    const files = { RELAY_CONFIG_FILE: '', ADMIN_TOKEN_FILE: '' };
    const environment = { ...SAMPLE, ...pairs(sidecar.environment), ...files };
    expectTimeToStop(sidecar.graceSeconds, configOf(environment));
  });
});
