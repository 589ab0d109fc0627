import { resolve } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import {
  CLIENT_WAYS,
  apiHosts,
  apiRequests,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import { startEverydayApi } from '../../support/programs/everyday-api.js';
import { runs } from '../../support/programs/program.js';

const PROGRAM = resolve('test/support/programs/everyday-client.mjs');

const NODE_MAJOR = Number.parseInt(process.versions.node, 10);

/** The first major version in which each reads `http_proxy`; before 26, `fetch` sends CONNECT for http, too. */
const SINCE = { undici: 20, axios: 20, 'http.request': 24, fetch: 26 };

const LIBRARIES = Object.entries(SINCE).flatMap(([library, since]) =>
  NODE_MAJOR >= since ? [library] : [],
);

const shared = sharedResources();

/** What the program printed, and what the API received of it. */
const run = async (way: ClientWay, library: string) => {
  const env = { ...way.env, ...(way.proxy !== undefined && { NODE_USE_ENV_PROXY: '1' }) };
  const output = await runs(process.execPath, [PROGRAM, library, way.url], { env });
  return { seen: JSON.parse(output) as unknown[][], received: apiRequests(way) };
};

describe.each(LIBRARIES)('%s of Node.js', (library) => {
  let directly: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    directly = await run(shared(await directClient(shared(await startEverydayApi()))), library);
  });

  it.each(CLIENT_WAYS)('works through %s as directly', async (name) => {
    const api = forThisTest(await startEverydayApi());
    const way = forThisTest(await relayedClient(name, api));

    const through = await run(way, library);

    expect(through).toEqual(directly);
    expect(directly.seen.filter(([what]) => what === 'event')).toHaveLength(2);
    expect(apiHosts(way)).toEqual([new URL(way.url).host]);
  });
});
