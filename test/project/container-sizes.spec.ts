import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

import { compose, read, SAMPLE } from '../support/assertions/deploy-files.js';

/** What a container reserves and may use at most: CPU in cores, memory in MiB; undefined where a file cannot say it. */
interface Size {
  readonly cpu: number | undefined;
  readonly reserved: number;
  readonly limit: number;
}

interface Resources {
  readonly limits: { readonly cpu?: string; readonly cpus?: string; readonly memory: string };
}
interface KubernetesResources extends Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
}
interface SwarmResources extends Resources {
  readonly reservations: { readonly cpus: string; readonly memory: string };
}

/** Table cells such as `0.25 cores` and `1024 MiB`. */
function documented(container: string): Size {
  const row = new RegExp(`^\\| ${container} +\\|(.*)\\|$`, 'm').exec(
    read('docs/operations.md'),
  )?.[1];
  const [cpu = NaN, reserved = NaN, limit = NaN] = (row ?? '')
    .split('|')
    .map((cell) => Number.parseFloat(cell));
  return { cpu, reserved, limit };
}

const UNIT_MIB: Readonly<Record<string, number>> = { m: 1, mb: 1, mi: 1, gi: 1024, g: 1024 };

/** Memory as Compose (`1024m`, `1024M`), Kubernetes (`1Gi`) and Redis (`192mb`) write it. */
function mib(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([a-z]+)$/i.exec(text) ?? [];
  return Number(amount) * (UNIT_MIB[unit.toLowerCase()] ?? NaN);
}

/** The size of the first container of the Deployment in a manifest. */
function kubernetes(path: string): Size {
  const deployment = parseAllDocuments(read(path))
    .map((document) => document.toJS() as { kind: string; spec: unknown })
    .find(({ kind }) => kind === 'Deployment');
  const { spec } = deployment as {
    spec: { template: { spec: { containers: readonly [{ resources: KubernetesResources }] } } };
  };
  const { limits, requests } = spec.template.spec.containers[0].resources;
  expect(limits.cpu).toBeUndefined();
  return {
    cpu: Number.parseInt(requests.cpu, 10) / 1000,
    reserved: mib(requests.memory),
    limit: mib(limits.memory),
  };
}

function swarm(path: string, service: string): Size {
  const { deploy } = compose(path, SAMPLE).services[service] as {
    deploy: { resources: SwarmResources };
  };
  const { limits, reservations } = deploy.resources;
  expect(limits.cpus).toBeUndefined();
  return {
    cpu: Number(reservations.cpus),
    reserved: mib(reservations.memory),
    limit: mib(limits.memory),
  };
}

/** Docker Compose outside a swarm reserves no CPU. */
function machine(path: string, service: string): Size {
  const { mem_limit, mem_reservation } = (
    parse(read(path)) as {
      services: Record<string, { mem_limit: string; mem_reservation: string }>;
    }
  ).services[service]!;
  return { cpu: undefined, reserved: mib(mem_reservation), limit: mib(mem_limit) };
}

function ecs(): Size {
  const { containerDefinitions } = JSON.parse(read('deploy/ecs/task-definition.json')) as {
    containerDefinitions: readonly [{ cpu: number; memory: number; memoryReservation: number }];
  };
  const [{ cpu, memory, memoryReservation }] = containerDefinitions;
  return { cpu: cpu / 1024, reserved: memoryReservation, limit: memory };
}

describe('the sizes in docs/operations.md', () => {
  const relay = documented('Relay');
  const redis = documented('Redis');

  it('are those of the relay in every file of deploy/', () => {
    expect(kubernetes('deploy/kubernetes/base/deployment.yaml')).toEqual(relay);
    expect(swarm('deploy/swarm/stack.yml', 'mte-api-relay')).toEqual(relay);
    expect(swarm('deploy/swarm/sending.yml', 'mte-api-relay-sending')).toEqual(relay);
    expect(ecs()).toEqual(relay);
    for (const side of ['receiving', 'sending']) {
      const size = machine(`deploy/compose/${side}.yml`, 'relay');
      expect(size, side).toEqual({ ...relay, cpu: undefined });
    }
  });

  it('are those of Redis in every file of deploy/, above the memory that Redis may use for data', () => {
    expect(kubernetes('deploy/kubernetes/components/redis/redis.yaml')).toEqual(redis);
    expect(swarm('deploy/swarm/stack.yml', 'redis')).toEqual(redis);
    expect(machine('deploy/compose/receiving.yml', 'redis')).toEqual({ ...redis, cpu: undefined });
    for (const path of [
      'deploy/kubernetes/components/redis/redis.yaml',
      'deploy/swarm/stack.yml',
      'deploy/compose/receiving.yml',
    ]) {
      const [, maximum = ''] = /maxmemory[\s-]+(\d+mb)/.exec(read(path)) ?? [];
      expect(mib(maximum), path).toBe(192);
      expect(mib(maximum)).toBeLessThan(redis.limit);
    }
  });

  it('are those of every docker run in docs/deployment.md', () => {
    const guide = read('docs/deployment.md');
    const relays = guide.match(/^docker run --detach --name mte-/gm) ?? [];
    const sizes = [...guide.matchAll(/--memory (\S+) --memory-reservation (\S+)/g)].map(
      ([, limit = '', reserved = '']) => ({ reserved: mib(reserved), limit: mib(limit) }),
    );
    expect(sizes).toEqual(relays.map(() => ({ reserved: relay.reserved, limit: relay.limit })));
    expect(relays).toHaveLength(2);
  });

  it('scale a Deployment at 70 % of the one core that a relay can use', () => {
    expect(read('docs/operations.md')).toContain('latency begins to rise at 70 % of a core');
    const { spec } = parse(read('deploy/kubernetes/base/horizontal-pod-autoscaler.yaml')) as {
      spec: { metrics: readonly [{ resource: { target: object } }] };
    };
    expect(spec.metrics[0].resource.target).toEqual({ type: 'AverageValue', averageValue: '700m' });
  });
});
