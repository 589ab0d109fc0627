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
import { hasPythonModule, pythonWith } from '../../support/programs/python.js';
import { hasProgram } from '../../support/processes/apt-packages.js';

const PROGRAM = resolve('test/support/programs/everyday_client.py');

/** Python's own library, and the two that most programs use. */
const LIBRARIES = ['urllib', 'requests', 'httpx'] as const;
type Library = (typeof LIBRARIES)[number];

const isThere = (library: Library): boolean =>
  library === 'urllib' ? hasProgram(['python3'], 'python3', '--version') : hasPythonModule(library);

const shared = sharedResources();

/** What the program printed, and what the API received of it. */
const run = async (way: ClientWay, library: Library) => ({
  seen: JSON.parse(
    await runs(pythonWith(library), [PROGRAM, library, way.url], { env: way.env }),
  ) as unknown[][],
  received: apiRequests(way),
});

describe.each(LIBRARIES)('%s of Python', (library) => {
  const has = isThere(library);
  let directly: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    if (has) {
      const direct = shared(await directClient(shared(await startEverydayApi())));
      directly = await run(direct, library);
    }
  });

  it.skipIf(!has).each(CLIENT_WAYS)('works through %s as directly', async (name) => {
    const api = forThisTest(await startEverydayApi());
    const way = forThisTest(await relayedClient(name, api));

    const through = await run(way, library);

    expect(through).toEqual(directly);
    expect(directly.seen.map(([what]) => what)).toContain('rest');
    expect(apiHosts(way)).toEqual([new URL(way.url).host]);
  });
});
