import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { docker, logsOf } from './engine.js';
import { expectUnused, Reader, type Printed } from './guide.js';
import { joinSwarm, stackIsGone } from './swarm.js';

const STACKS = ['mte-sending', 'mte'];
const SECRETS = [
  'mte_client_id_secret',
  'mte_outbound_token',
  'mte_redis_password',
  'mte_redis_url',
  'mte_sending_client_id_secret',
  'mte_sending_outbound_token',
];

let reader: Reader;
let printed: Printed;
let madeSwarm = false;

const tasksOf = async (service: string): Promise<readonly string[]> => {
  const ids = await docker(
    ...['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${service}`],
    ...['--filter', 'health=healthy'],
  );
  return ids.split('\n').filter((id) => id !== '');
};

beforeAll(async () => {
  await expectUnused(...STACKS.map((name) => `label=com.docker.stack.namespace=${name}`));
  madeSwarm = await joinSwarm();
  reader = await Reader.create();
  printed = await reader.follow('Docker Swarm');
});

afterAll(async () => {
  for (const stack of STACKS) {
    await docker('stack', 'rm', stack);
    await stackIsGone(stack);
  }
  await docker('secret', 'rm', ...SECRETS);
  if (madeSwarm) {
    await docker('swarm', 'leave', '--force');
  }
  reader.remove();
});

describe('the commands of docs/deployment.md for Docker Swarm', () => {
  it('start relays that receive and relays that send, and carry a request through both', async () => {
    expect(printed['A request through both'].trim()).toBe('{"signedIn":true,"as":"ada"}');
    const [upstream = ''] = await tasksOf('mte_sample-upstream');
    expect(await logsOf(upstream)).toContain('POST /api/login');
  });

  it('wait until both replicas of each side are healthy', async () => {
    expect(await tasksOf('mte_mte-api-relay')).toHaveLength(2);
    expect(await tasksOf('mte-sending_mte-api-relay-sending')).toHaveLength(2);
  });

  it('leave the values of the secrets, which no swarm gives back, in files', async () => {
    const known = await docker('secret', 'ls', '--format', '{{.Name}}');
    expect(known.split('\n').filter((name) => SECRETS.includes(name))).toHaveLength(SECRETS.length);
    expect(reader.read('sending/client-id-secret')).toBe(reader.read('receiving/client-id-secret'));
    expect(reader.read('receiving/redis-url')).toContain(
      reader.read('receiving/redis-password').trim(),
    );
  });

  it('publish no port of the relays that send, and give them no secret in a variable', async () => {
    const service = 'mte-sending_mte-api-relay-sending';
    expect(
      await docker('service', 'inspect', '--format', '{{json .Endpoint.Ports}}', service),
    ).toBe('null');
    const [task = ''] = await tasksOf(service);
    const environment = await docker('inspect', '--format', '{{json .Config.Env}}', task);
    expect(environment).not.toContain(reader.read('sending/outbound-token').trim());
  });
});
