import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildImages, docker, freePort, IMAGE, logsOf, run, waitUntil } from './engine.js';
import { type Variables } from './engine.js';
import { hasSwarmBalancer } from './guide.js';
import { joinSwarm, stackIsGone } from './swarm.js';
import { executions, startLoad, underLoad, type Outcome } from './load.js';
import { expectTrueVerdicts, failures, summary } from './verdicts.js';

const STACK = 'mte-containers-test';
const SENDING = `${STACK}-sending`;
const PEER = 'http://mte-api-relay:8080';
const TARGET = 'http://mte-api-relay-sending:8080';
const SECRETS_DIR = '/run/secrets';
const STACK_FILE = hasSwarmBalancer ? 'stack.yml' : 'stack.dnsrr.yml';

const token = randomBytes(32).toString('base64');
const redisPassword = randomBytes(32).toString('hex');
const values = {
  CLIENT_ID_SECRET: randomBytes(32).toString('base64'),
  CLIENT_ID_SECRET_ALT: randomBytes(32).toString('base64'),
  OUTBOUND_TOKEN: token,
  OUTBOUND_TOKEN_ALT: randomBytes(32).toString('base64'),
  REDIS_PASSWORD: redisPassword,
  REDIS_URL: `redis://:${redisPassword}@redis:6379`,
};

const secretName = (variable: string): string => `${STACK}_${variable.toLowerCase()}`;

let madeSwarm = false;
let variables: Variables = {};

const deploy = (image: string, ...files: readonly string[]): Promise<string> =>
  run(
    'docker',
    [
      ...['stack', 'deploy', '--resolve-image', 'never'],
      ...[`deploy/swarm/${STACK_FILE}`, 'deploy/swarm/sample-upstream.yml', ...files].flatMap(
        (file) => ['--compose-file', file],
      ),
      STACK,
    ],
    { variables: { ...variables, IMAGE: image } },
  );

/** The relays of the clients: a relay refuses to pair with itself, so the stack under test cannot be its own client. */
const deploySending = (): Promise<string> =>
  run(
    'docker',
    [
      ...['stack', 'deploy', '--resolve-image', 'never'],
      ...['--compose-file', 'deploy/swarm/sending.yml', SENDING],
    ],
    { variables: { ...variables, IMAGE, CLIENT_NETWORK: `${STACK}_relays` } },
  );

/** The healthy containers of a service. */
const tasks = async (service = 'mte-api-relay', stack = STACK): Promise<readonly string[]> => {
  const ids = await docker(
    ...['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${stack}_${service}`],
    ...['--filter', 'health=healthy'],
  );
  return ids.split('\n').filter((id) => id !== '');
};

const updateState = (): Promise<string> =>
  docker(
    ...['service', 'inspect', '--format', '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'],
    `${STACK}_mte-api-relay`,
  );

const isUpdated = async (): Promise<boolean> => {
  const state = await updateState();
  if (state.startsWith('rollback') || state === 'paused') {
    throw new Error(`the update is ${state}`);
  }
  return state === 'completed' && (await tasks()).length === 2;
};

/** Does something under load, prints the figures, and expects every request to succeed. */
async function expectNoLoss(
  what: string,
  during: () => Promise<unknown>,
): Promise<readonly Outcome[]> {
  const [upstream = ''] = await tasks('sample-upstream');
  const before = (await logsOf(upstream)).length;
  const load = await startLoad({
    image: IMAGE,
    network: `${STACK}_relays`,
    target: TARGET,
    peer: PEER,
    token,
  });
  const outcomes = await underLoad(load, during);
  console.log(summary(`${STACK_FILE}, ${what}`, outcomes));
  expectTrueVerdicts(outcomes, executions((await logsOf(upstream)).slice(before)));
  expect(failures(outcomes)).toEqual([]);
  return outcomes;
}

beforeAll(async () => {
  await buildImages();
  await docker('tag', IMAGE, `${IMAGE}:next`);
  madeSwarm = await joinSwarm();
  variables = {
    UPSTREAM: 'http://sample-upstream:3000',
    RELAY_AUDIENCE: PEER,
    OUTBOUND_ALLOWED_UPSTREAMS: PEER,
    PUBLISHED_PORT: await freePort(),
    ...Object.fromEntries(Object.keys(values).map((name) => [`${name}_NAME`, secretName(name)])),
  };
  for (const [name, value] of Object.entries(values)) {
    await run('docker', ['secret', 'create', secretName(name), '-'], { input: value });
  }
  await deploy(IMAGE);
  await deploySending();
  await waitUntil('both tasks are healthy', async () => (await tasks()).length === 2);
  await waitUntil(
    'both tasks that send are healthy',
    async () => (await tasks('mte-api-relay-sending', SENDING)).length === 2,
  );
  // A task has a DNS name only after its first successful health check.
  await waitUntil('the API is healthy', async () => (await tasks('sample-upstream')).length === 1);
});

afterAll(async () => {
  for (const stack of [SENDING, STACK]) {
    await docker('stack', 'rm', stack);
    await stackIsGone(stack);
  }
  await docker('secret', 'rm', ...Object.keys(values).map(secretName));
  if (madeSwarm) {
    await docker('swarm', 'leave', '--force');
  }
});

describe('the stack of deploy/swarm', () => {
  it('passes its secrets to the relays only as files', async () => {
    const [task = ''] = await tasks();
    const environment = await docker('inspect', '--format', '{{json .Config.Env}}', task);
    for (const value of Object.values(values)) {
      expect(environment).not.toContain(value);
    }
    const read = `console.log(require('node:fs').readdirSync('${SECRETS_DIR}').sort().join())`;
    expect(await docker('exec', task, 'node', '-e', read)).toBe(
      'client_id_secret,outbound_token,redis_url',
    );
  });

  it('updates to another image without losing a request', async () => {
    await expectNoLoss('rolling update', async () => {
      const before = await tasks();
      await deploy(`${IMAGE}:next`);
      await waitUntil('the update is completed', isUpdated, 300_000);
      expect((await tasks()).filter((task) => before.includes(task))).toEqual([]);
    });
  });

  it('accepts the second secrets of a rotation without losing a request', async () => {
    await expectNoLoss('rotation', async () => {
      await deploy(
        `${IMAGE}:next`,
        'deploy/swarm/client-id-secret-alt.yml',
        'deploy/swarm/outbound-token-alt.yml',
      );
      await waitUntil('the update is completed', isUpdated, 300_000);
    });
    const [task = ''] = await tasks();
    const environment = await docker('inspect', '--format', '{{json .Config.Env}}', task);
    expect(environment).toContain('CLIENT_ID_SECRET_ALT_FILE');
  });
});
