import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { RelayConfig } from '@relay/config';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import {
  compose,
  configOf,
  expectTimeToStop,
  pairs,
  read,
  seconds,
  serviceOf,
  type Environment,
  type NameValue,
} from '../support/assertions/deploy-files.js';
import { DIRECTORY_GUIDE, followDirectoryGuide } from '../support/assertions/directory-guide.js';
import { blocksOf, under } from '../support/assertions/guide-text.js';
import {
  manifestsOf,
  problemsOf,
  type Manifest,
} from '../support/assertions/kubernetes-schemas.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const SIDES = ['receiving', 'sending'] as const;
type Side = (typeof SIDES)[number];

const MOUNTED = '/etc/mte-api-relay';
const SERVICES = { receiving: 'mte-api-relay', sending: 'mte-api-relay-sending' } as const;
const STACKS = { receiving: 'stack', sending: 'sending' } as const;
const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0;
const shared = sharedResources();
const follow = async (...blocks: readonly string[]): Promise<string> =>
  shared(await followDirectoryGuide(...blocks)).path;
/** What both sides serve, however they are deployed. */
function expectDirectory(side: Side, { directory, nodeEnv }: RelayConfig, origin: string): void {
  expect(nodeEnv).toBe('production');
  const { peers, clients, tenants } = directory;
  if (side === 'receiving') {
    expect(peers.map(({ name }) => name)).toEqual(['shop', 'warehouse']);
    expect(clients).toEqual([]);
    expect(tenants.map((tenant) => [tenant.name, tenant.peers])).toEqual([
      [origin, ['shop']],
      ['http://stock.example.com:8090', ['warehouse']],
    ]);
  } else {
    expect(peers).toMatchObject([{ name: 'orders', reach: { origins: [origin] } }]);
    expect(clients.map((client) => [client.name, client.peers])).toEqual([
      ['billing', ['orders']],
      ['reports', ['orders']],
    ]);
    expect(tenants).toEqual([]);
  }
}

const mapped = (environment: Environment, folder: string): Environment => {
  const { RELAY_CONFIG_FILE: file } = environment;
  expect(file).toBe(`${MOUNTED}/relay.yaml`);
  return { ...environment, RELAY_CONFIG_FILE: join(folder, 'relay.yaml') };
};

describe('the directory files of docs/deployment.md', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await follow();
  });

  it.each(SIDES)('start the relay of the %s side with Compose, without the variables', (side) => {
    const base = serviceOf(compose(`deploy/compose/${side}.yml`), 'relay');
    const over = serviceOf(compose('deploy/compose/directory.yml'), 'relay');
    const [line = ''] = readFileSync(join(folder, side, 'relay.env'), 'utf8').split('\n');
    const [name = '', value = ''] = line.split('=');
    const environment = { [name]: value, ...base.environment, ...over.environment };
    expect(over.volumes).toEqual([`./directory:${MOUNTED}:ro`]);
    const config = configOf(mapped(environment, join(folder, side, 'directory')));
    expectDirectory(side, config, 'http://host.docker.internal:8090');
  });

  it('belong to one user, and have what the two sides share and the hashes of the tokens', () => {
    for (const name of ['receiving/directory/shop.secret', 'sending/directory', 'sending/.env']) {
      expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
    }
    const secret = (name: string): string => readFileSync(join(folder, name), 'utf8');
    expect(secret('sending/directory/orders.secret')).toBe(
      secret('receiving/directory/shop.secret'),
    );
    const text = secret('sending/directory/relay.yaml');
    expect(text).not.toContain(secret('sending/billing-token').trim());
  });
});

describe('the stacks with a directory file', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await follow(...blocksOf(under(DIRECTORY_GUIDE, 3, 'The file in a swarm')));
  });

  it.each(SIDES)('have what the file of the %s side names, each as external', (side) => {
    const stack = compose(`deploy/swarm/${STACKS[side]}.directory.yml`, { CLIENT_NETWORK: 'n' });
    const service = serviceOf(stack, SERVICES[side]);
    const container = join(folder, `container-${side}`);
    const files = [
      ...(service.configs ?? []).map((one) => ({ ...one, of: stack.configs })),
      ...(service.secrets ?? []).map((one) => ({ ...one, of: stack.secrets })),
    ];
    for (const { source, target = `/run/secrets/${source}`, of } of files) {
      const { external, name } = of![source]!;
      expect(external).toBe(true);
      mkdirSync(dirname(join(container, target)), { recursive: true });
      cpSync(join(folder, 'created', name), join(container, target));
    }
    const config = configOf(mapped(service.environment ?? {}, join(container, MOUNTED)));
    expectDirectory(side, config, 'http://mte-api-relay:8080');
    expectTimeToStop(seconds(service.stop_grace_period), config);
  });

  it('differ from those without one only in where the settings are', () => {
    const common = (path: string): string =>
      read(path)
        .replace(/^(?:#.*\n)+/, '')
        .replace(/ {4}environment:\n(?: {6}.*\n)*? {6}# The task/, '')
        .replace(/ {4}configs:\n(?: {6}.*\n)*/, '')
        .replace(/ {4}secrets:\n(?: {6}.*\n)*/, '')
        .replace(/^(?:# The secrets|configs:)(?:.*\n)*/m, '')
        .replace(/^secrets:(?:.*\n)*/m, '');
    for (const stack of Object.values(STACKS)) {
      expect(common(`deploy/swarm/${stack}.directory.yml`)).toBe(
        common(`deploy/swarm/${stack}.yml`),
      );
    }
  });

  it('deploy a changed file under a new name', () => {
    expect(existsSync(join(folder, 'created/mte_directory_2'))).toBe(true);
    const { configs } = compose('deploy/swarm/stack.directory.yml', {
      DIRECTORY_NAME: 'mte_directory_2',
    });
    expect(configs).toEqual({ directory: { external: true, name: 'mte_directory_2' } });
  });
});

describe('the component for a directory file in Kubernetes', () => {
  interface Pod {
    readonly containers: readonly [{ readonly env: readonly NameValue[] }];
    readonly volumes: readonly {
      readonly name: string;
      readonly projected?: {
        readonly sources: readonly Readonly<Record<string, { readonly name: string }>>[];
      };
    }[];
  }
  let folder: string;

  beforeAll(async () => {
    folder = await follow(...blocksOf(under(DIRECTORY_GUIDE, 3, 'The file in Kubernetes')));
  });

  const render = (side: Side): readonly Manifest[] => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', side], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return manifestsOf(stdout);
  };

  it.each(SIDES)('is used by the %s side, whose file keeps its name when it changes', (side) => {
    expect(parse(readFileSync(join(folder, side, 'kustomization.yaml'), 'utf8'))).toMatchObject({
      resources: [`../deploy/kubernetes/overlays/${side}`],
      components: expect.arrayContaining(['../deploy/kubernetes/components/directory']) as object,
      configMapGenerator: [
        {
          name: 'mte-api-relay-directory',
          files: ['directory/relay.yaml'],
          options: { disableNameSuffixHash: true },
        },
      ],
    });
  });

  it.skipIf(!hasKubectl).each(SIDES)(
    'starts the relay of the %s side from one folder, without the variables',
    (side) => {
      const manifests = render(side);
      expect(manifests.flatMap((manifest) => problemsOf(manifest))).toEqual([]);
      const dataOf = (name: string): Record<string, string> =>
        manifests.find(
          ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith(name),
        )!['data'] as Record<string, string>;
      const { spec } = manifests.find(
        ({ kind, metadata }) =>
          kind === 'Deployment' && metadata.name.startsWith('mte-api-relay-dep'),
      ) as unknown as { spec: { template: { spec: Pod } } };
      const { containers, volumes } = spec.template.spec;
      const sources = volumes.find(({ name }) => name === 'directory')?.projected?.sources;
      expect(sources).toEqual([
        { configMap: { name: 'mte-api-relay-directory' } },
        { secret: { name: 'mte-api-relay-secret' } },
      ]);
      const mounted = join(folder, `created/mte-${side}-mte-api-relay-secret`);
      writeFileSync(join(mounted, 'relay.yaml'), dataOf('mte-api-relay-directory')['relay.yaml']!);
      const environment = { ...dataOf('mte-api-relay-config'), ...pairs(containers[0].env) };
      const config = configOf(mapped(environment, mounted));
      expectDirectory(side, config, 'https://relay.example.com');
    },
  );
});
