import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compose, docker, freePort, logsOf, ROOT, run, waitUntil } from './engine.js';
import { IMAGE, waitUntilHealthy, type Variables } from './engine.js';
import { executions, startLoad, underLoad, type Load, type Outcome } from './load.js';
import { expectTrueVerdicts, failures, summary } from './verdicts.js';

const PROJECT = 'mte-containers-test';
const TOKEN = 'YOUR_SECURE_OUTBOUND_ACCESS_TOKEN';

/** An empty .env, so that the one in the user's working directory is not read. */
const folder = mkdtempSync(join(tmpdir(), 'mte-compose-'));
const NO_VALUES = join(folder, 'none.env');
writeFileSync(NO_VALUES, '');

let variables: Variables = {};

const trial = (envFile: string, ...args: readonly string[]): Promise<string> =>
  compose(['--project-name', PROJECT, '--env-file', envFile, ...args], variables);

const up = (envFile: string, ...args: readonly string[]): Promise<string> =>
  trial(envFile, 'up', '--detach', ...args);

async function containersOf(service: string): Promise<readonly string[]> {
  const ids = await docker(
    ...['ps', '--quiet', '--no-trunc'],
    ...['--filter', `label=com.docker.compose.project=${PROJECT}`],
    ...['--filter', `label=com.docker.compose.service=${service}`],
  );
  return ids.split('\n').filter((id) => id !== '');
}

async function allHealthy(service: string): Promise<void> {
  for (const container of await containersOf(service)) {
    await waitUntilHealthy(container);
  }
}

async function containerOf(service: string): Promise<string> {
  const [id] = await containersOf(service);
  if (id === undefined) {
    throw new Error(`no container of ${service} is running`);
  }
  return id;
}

/** Runs the curl line of the guide, unchanged except for the port. */
async function documentedCurl(): Promise<string> {
  const guide = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
  const [line] = /^curl http:\/\/localhost:8080\/api\/login(?:.*\\\n)*.*$/m.exec(guide) ?? [];
  if (line === undefined) {
    throw new Error('docs/deployment.md has no curl line');
  }
  const port = variables['PUBLISHED_PORT'] ?? '8080';
  const quiet = line
    .replace('curl', 'curl --silent')
    .replace('localhost:8080', `localhost:${port}`);
  return run('sh', ['-c', quiet]);
}

const signedIn = (): Promise<void> =>
  waitUntil('the documented curl line succeeds', () =>
    documentedCurl().then(
      (output) => output.includes('"signedIn":true'),
      () => false,
    ),
  );

const load = (): Promise<Load> =>
  startLoad({
    image: IMAGE,
    network: `${PROJECT}_default`,
    target: 'http://relay-a:8080',
    peer: 'http://relay-b:8080',
    token: TOKEN,
  });

/** Does something under load, prints the figures, and compares the verdicts with the upstream's log. */
async function disrupt(what: string, during: () => Promise<unknown>): Promise<readonly Outcome[]> {
  const upstream = await containerOf('sample-upstream');
  const before = (await logsOf(upstream)).length;
  const outcomes = await underLoad(await load(), during);
  console.log(summary(what, outcomes));
  expectTrueVerdicts(outcomes, executions((await logsOf(upstream)).slice(before)));
  return outcomes;
}

beforeAll(async () => {
  if ((await docker('ps', '--all', '--quiet', '--filter', 'name=^/mte-api-relay$')) !== '') {
    throw new Error('a container named mte-api-relay exists: stop that trial first');
  }
  variables = {
    PUBLISHED_PORT: await freePort(),
    CLIENT_ID_SECRET: undefined,
    OUTBOUND_TOKEN: undefined,
  };
  await up(NO_VALUES, '--build');
});

afterAll(async () => {
  await trial(NO_VALUES, 'down', '--volumes', '--timeout', '5');
  rmSync(folder, { recursive: true });
});

describe('the trial with docker-compose.yml', () => {
  it('answers the curl line of the guide without an .env, and warns about its placeholder secrets', async () => {
    await signedIn();
    expect(await docker('logs', 'mte-api-relay')).toContain(
      'OUTBOUND_TOKEN is a documented placeholder',
    );
  });

  it('answers the curl line of the guide with .env.example as .env', async () => {
    await up('.env.example');
    await signedIn();
  });

  it('loses no request while the receiving relay is scaled from one to three', async () => {
    await waitUntilHealthy('mte-api-relay');
    const outcomes = await disrupt('scale to 3', async () => {
      await up(NO_VALUES, '--scale', 'relay-b=3');
      await allHealthy('relay-b');
    });
    expect(failures(outcomes)).toEqual([]);
    expect(await containersOf('relay-b')).toHaveLength(3);
  });

  it('loses no request while its replicas are restarted one by one', async () => {
    const outcomes = await disrupt('restart of each replica', async () => {
      for (const replica of await containersOf('relay-b')) {
        await docker('restart', '--time', '25', replica);
        await waitUntilHealthy(replica);
      }
    });
    expect(failures(outcomes)).toEqual([]);
  });

  it('gives a true verdict on every request when all replicas restart at the same time', async () => {
    await disrupt('restart of all replicas', async () => {
      await trial(NO_VALUES, 'restart', 'relay-b');
      await allHealthy('relay-b');
    });
  });

  it('gives a true verdict on every request when a replica is killed', async () => {
    const [replica = ''] = await containersOf('relay-b');
    await disrupt('kill of a replica', () => docker('kill', replica));
    await docker('start', replica);
    await waitUntilHealthy(replica);
  });

  it('gives a true verdict on every request when Redis is killed and comes back empty', async () => {
    const redis = await containerOf('redis');
    await disrupt('kill of Redis', async () => {
      await docker('kill', redis);
      await docker('start', redis);
    });
  });

  it('answers the curl line of the guide again after all services were restarted', async () => {
    await trial(NO_VALUES, 'restart');
    await signedIn();
  });
});
