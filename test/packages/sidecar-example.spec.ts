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
  await writeFile(
    join(mounted, 'relay.yaml'),
    directory
      .replace('https://relay.payments.example', partner.url)
      .replace('127.0.0.1:9101', `127.0.0.1:${port}`),
  );
  forThisTest(
    await startImage({
      ...texts(pairs(environment)),
      RELAY_CONFIG_FILE: join(mounted, 'relay.yaml'),
      HOST: '127.0.0.1',
      PORT: '0',
    }),
  );
  expect(pairs(environment)['RELAY_CONFIG_FILE']).toBe(`${mountPath}/relay.yaml`);

  const [, request = ''] = blocksOf(await readFile(join(FOLDER, 'README.md'), 'utf8'));
  const [, inContainer = ''] = request.split(' -- ');
  const printed = await runs('bash', [
    ...['-euc', inContainer.replace('localhost:9101', `localhost:${port}`)],
  ]);

  // The API of this test sends back what it is sent.
  expect(JSON.parse(printed)).toMatchObject({ username: 'ada' });
  expect(upstream.requests.items[0]).toMatchObject({ method: 'POST', url: '/api/login' });
});
