import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';

import { hasCurl } from '../../support/clients/curl.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import {
  CLIENT_WAYS,
  apiHosts,
  apiRequests,
  directClient,
  relayedClient,
  type ClientWay,
} from '../../support/programs/client-ways.js';
import { startEverydayApi } from '../../support/programs/everyday-api.js';
import { runProgram, startProgram, type ProgramRun } from '../../support/programs/program.js';

const QUIET = ['--disable', '--silent', '--show-error', '--max-time', '60'];

/** The head of a response apart from the fields of its connection, and its body. */
const withoutConnection = (stdout: string): string =>
  stdout
    .replaceAll(/^(?:connection|keep-alive|date|transfer-encoding):.*\r\n/gim, '')
    .replaceAll(/^[\w-]+(?=: .*\r$)/gm, (name) => name.toLowerCase());

const proxyOf = ({ proxy }: ClientWay): string[] => (proxy === undefined ? [] : ['-x', proxy]);

const shared = sharedResources();
let upload: TemporaryFolder;

beforeAll(async () => {
  upload = shared(await temporaryFolder());
  await writeFile(join(upload.path, 'file'), bytesOfSize(3_000_000));
});

describe.skipIf(!hasCurl).each(CLIENT_WAYS)('curl through %s', (name) => {
  let direct: ClientWay;
  let relayed: ClientWay;

  beforeAll(async () => {
    const api = shared(await startEverydayApi());
    direct = shared(await directClient(api));
    relayed = shared(await relayedClient(name, api));
  });

  /** Runs curl, and says what it printed and what the API received meanwhile. */
  const seenBy = async (
    way: ClientWay,
    options: readonly string[],
    paths: readonly string[],
  ): Promise<ProgramRun & { readonly received: string[][] }> => {
    const before = way.exchanges.length;
    const urls = paths.map((path) => way.url + path);
    const run = await runProgram('curl', [...QUIET, ...options, ...urls], {
      cwd: upload.path,
      env: { NO_PROXY: '', ...way.env },
    });
    const stdout = withoutConnection(run.stdout).replaceAll(way.url, '<origin>');
    const received = apiRequests({ ...way, exchanges: way.exchanges.slice(before) });
    return { ...run, stdout, received };
  };

  const bothWays = async (options: readonly string[], ...paths: readonly string[]) => {
    const directly = await seenBy(direct, options, paths);
    const through = await seenBy(relayed, [...proxyOf(relayed), ...options], paths);
    expect(through).toEqual(directly);
    return directly;
  };

  it.each([
    ['a GET', ['--include'], '/json?a=1&b=%2F', 'HTTP/1.1 200 OK'],
    ['a HEAD', ['--head'], '/json', 'HTTP/1.1 200 OK'],
    ['a 404', ['--include'], '/missing', 'HTTP/1.1 404 Not Found'],
    ['a redirect', ['--include'], '/moved', 'location: <origin>/json'],
    ['a redirect that it follows', ['--include', '--location'], '/moved', '"name":"Zoë"'],
    ['a POST', ['--include', '--data', 'user=ada'], '/digest', '"octets":8'],
    ['a login of its own', ['--user', 'ada:secret'], '/json', 'Basic YWRhOnNlY3JldA=='],
    ['an upload of 3 MB', ['--upload-file', 'file'], '/digest', '"octets":3000000'],
    [
      'an upload in chunks',
      ['-H', 'Transfer-Encoding: chunked', '-T', 'file'],
      '/digest',
      '3000000',
    ],
    [
      'an upload after 100 Continue',
      ['-H', 'Expect: 100-continue', '-T', 'file'],
      '/digest',
      '3000000',
    ],
  ])('%s is the same as directly', async (_what, options, path, contains) => {
    const { exitCode, stdout } = await bothWays(options, path);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(contains);
  });

  it('several requests on one connection are the same as directly', async () => {
    const { stdout } = await bothWays([], '/json', '/missing', '/json');

    expect(stdout.match(/Zoë/g)).toHaveLength(2);
  });

  it('credentials that are sent only after a 407 are the same as sent at once', async () => {
    const { stdout } = await bothWays(['--proxy-anyauth', '--data', 'user=ada'], '/digest');

    expect(stdout).toContain('"octets":8');
  });

  it('an upload with credentials that are sent only after a 407 is the same as directly', async () => {
    const { stdout } = await bothWays(['--proxy-anyauth', '--upload-file', 'file'], '/digest');

    expect(stdout).toContain('"octets":3000000');
  });

  it('an event arrives before the next is sent', async () => {
    const args = [...QUIET, ...proxyOf(relayed), '--no-buffer', `${relayed.url}/events`];
    const events = startProgram('curl', args, { env: { NO_PROXY: '' } });
    const whole = text(events.stdout);
    const [first] = (await once(events.stdout, 'data')) as [Buffer];
    await seenBy(relayed, proxyOf(relayed), ['/next']);

    expect(first.toString()).toBe('data: 1\n\n');
    expect(await whole).toBe('data: 1\n\ndata: 2\n\n');
  });

  it('the API is told the host that curl was given, and no credentials of a proxy', () => {
    expect(apiHosts(relayed)).toEqual([new URL(relayed.url).host]);
    expect(
      relayed.exchanges.flatMap(({ requestHeaders }) => Object.keys(requestHeaders)),
    ).not.toContain('proxy-authorization');
  });
});

describe.skipIf(!hasCurl)('curl with http_proxy', () => {
  it('calls the API without an option', async () => {
    const api = forThisTest(await startEverydayApi());
    const way = forThisTest(await relayedClient('the forward proxy', api));

    const { stdout } = await runProgram('curl', [...QUIET, `${way.url}/json`], { env: way.env });

    expect(stdout).toContain('Zoë');
  });
});
