import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { buildImages, docker, IMAGE, inspect, logsOf, waitUntilHealthy } from './engine.js';

const started: string[] = [];

const secret = (): string => randomBytes(32).toString('base64');

/** Starts a container as the README does, with additional options. */
async function start(...options: readonly string[]): Promise<string> {
  const container = await docker(
    ...['run', '--detach'],
    ...['--env', 'UPSTREAM=http://127.0.0.1:9', '--env', 'REDIS_URL=memory://'],
    ...['--env', `CLIENT_ID_SECRET=${secret()}`, '--env', `OUTBOUND_TOKEN=${secret()}`],
    ...options,
    IMAGE,
  );
  started.push(container);
  return container;
}

const inImage = (script: string): Promise<string> =>
  docker('run', '--rm', '--network', 'none', '--entrypoint', 'node', IMAGE, '-e', script);

beforeAll(async () => {
  await buildImages();
  const bytes = Number(await inspect(IMAGE, '{{.Size}}'));
  console.log(`image: ${Math.round(bytes / 1e6)} MB with its base`);
});

afterEach(async () => {
  for (const container of started.splice(0)) {
    await docker('rm', '--force', container);
  }
});

describe('the image', () => {
  it('has its labels, and runs the command on Node.js 26 as a user that is not root', async () => {
    const image = JSON.parse(await docker('image', 'inspect', IMAGE)) as [{ Config: object }];
    expect(image[0].Config).toMatchObject({
      Entrypoint: ['/app/bin/mte-api-relay'],
      Cmd: ['start'],
      User: '1000:1000',
      Labels: { app: 'mte-api-relay', 'org.opencontainers.image.title': 'mte-api-relay' },
    });
    expect(await inImage('console.log(process.version)')).toMatch(/^v26\./);
  });

  it('contains no development files or dependencies', async () => {
    const list = `const { existsSync } = require('node:fs');
      console.log(['.env', 'apps', 'libs', 'test', 'node_modules/typescript', 'node_modules/vitest']
        .filter((name) => existsSync(name)).join())`;
    expect(await inImage(list)).toBe('');
  });

  it('runs the other commands', async () => {
    const run = (...args: readonly string[]): Promise<string> =>
      docker('run', '--rm', '--network', 'none', IMAGE, ...args);
    expect(await run('--version')).toBe('mte-api-relay 0.1.0');
    expect(await run('secret')).toMatch(/^[\w-]{43}$/);
    expect(await run('demo', '--once')).toMatch(/Every step was as expected\.$/);
  });

  it('becomes healthy, and exits with 0 on SIGTERM', async () => {
    const container = await start();
    await waitUntilHealthy(container);
    await docker('stop', '--time', '30', container);
    expect(await inspect(container, '{{.State.ExitCode}}')).toBe('0');
  });

  it('runs read-only, as any user and without capabilities', async () => {
    const container = await start(
      ...['--read-only', '--user', '65534', '--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges'],
    );
    await waitUntilHealthy(container);
    const echo = `fetch('http://127.0.0.1:8080/api/mte-echo').then((response) => response.text()).then(console.log)`;
    expect(await docker('exec', container, 'node', '-e', echo)).toContain('"echo":"test"');
  });

  it('refuses to start with a placeholder of the documentation', async () => {
    const container = await start('--env', 'OUTBOUND_TOKEN=YOUR_SECURE_OUTBOUND_ACCESS_TOKEN');
    expect(await docker('wait', container)).toBe('1');
    expect(await logsOf(container)).toMatch(/^OUTBOUND_TOKEN must not be a documented placeholder/);
  });
});
