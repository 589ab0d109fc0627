import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { pairs } from '../support/assertions/deploy-files.js';
import { blocksOf } from '../support/assertions/guide-text.js';
import { EXAMPLES } from '../support/examples/example-files.js';
import { sidecarOf } from '../support/examples/sidecar.js';
import { startImage, texts } from '../support/examples/stand-ins.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { closedPort } from '../support/network/listen.js';
import { runs } from '../support/programs/program.js';
import { startUpstream } from '../support/upstreams/upstream.js';

const FOLDER = join(EXAMPLES, 'kubernetes-sidecar');
const ADMIN_TOKEN = randomBytes(16).toString('hex');

it('the application of kubernetes-sidecar reaches the API of its partner at localhost, as printed', async () => {
  const { directory, secretFile, environment, mountPath } = sidecarOf(
    await readFile(join(FOLDER, 'orders.yaml'), 'utf8'),
  );
  const secret = randomBytes(32).toString('base64');
  const upstream = forThisTest(await startUpstream());
  const partner = forThisTest(
    await startImage({
      UPSTREAM: upstream.url,
      CLIENT_ID_SECRET: secret,
      OUTBOUND_TOKEN: randomBytes(32).toString('base64'),
      OUTBOUND_ALLOWED_UPSTREAMS: 'http://nobody.invalid',
      REDIS_URL: 'memory://',
      HOST: '127.0.0.1',
      PORT: '0',
    }),
  );
  const pod = forThisTest(await temporaryFolder());
  const mounted = join(pod.path, 'mounted');
  const port = await closedPort(createServer());
  await mkdir(mounted);
  await writeFile(join(mounted, secretFile), secret);
  await writeFile(join(mounted, 'admin-token'), ADMIN_TOKEN);
  await writeFile(
    join(mounted, 'relay.yaml'),
    directory
      .replace('https://relay.payments.example', partner.url)
      .replace('127.0.0.1:9101', `127.0.0.1:${port}`),
  );
  const variables = texts(pairs(environment));
  const adminPort = await closedPort(createServer());
  forThisTest(
    await startImage({
      ...variables,
      RELAY_CONFIG_FILE: variables['RELAY_CONFIG_FILE']!.replace(mountPath, mounted),
      ADMIN_TOKEN_FILE: variables['ADMIN_TOKEN_FILE']!.replace(mountPath, mounted),
      ADMIN_PORT: String(adminPort),
      PORT: '0',
    }),
  );

  const [, request = ''] = blocksOf(await readFile(join(FOLDER, 'README.md'), 'utf8'));
  const [, inContainer = ''] = request.split(' -- ');
  const printed = await runs('bash', [
    ...['-euc', inContainer.replace('localhost:9101', `localhost:${port}`)],
  ]);

  // The API of this test sends back what it is sent.
  expect(JSON.parse(printed)).toMatchObject({ username: 'ada' });
  expect(upstream.requests.items[0]).toMatchObject({ method: 'POST', url: '/api/login' });

  const admin = `http://127.0.0.1:${adminPort}`;
  const authorization = `Basic ${Buffer.from(`:${ADMIN_TOKEN}`).toString('base64')}`;
  expect((await fetch(`${admin}/health/live`)).status).toBe(200);
  expect((await fetch(`${admin}/metrics`)).status).toBe(401);
  expect((await fetch(`${admin}/metrics`, { headers: { authorization } })).status).toBe(200);
});
