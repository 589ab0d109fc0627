import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ConfigInvalidError } from '@relay/config';
import { loadConfig } from '@relay/config';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { expectQuoted, section } from '../support/assertions/troubleshooting.js';
import { request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { SECRET, startRelay, TOKEN, type TestRelay } from '../support/relays/relay.js';
import { echoBody, startUpstream } from '../support/upstreams/upstream.js';

const NO_VARIABLES = { UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '' };

const shared = sharedResources();
let folder: string;
let upstream: string;
let outbound: TestRelay;
let inbound: TestRelay;

const write = (name: string, content: object): string => {
  const path = join(folder, name);
  writeFileSync(path, stringify(content));
  return path;
};

/** A directory of relay B with this tenant; nobody listens at its other origin. */
const withTenant = (audience: string, ...peers: readonly string[]): object => ({
  peers: { shop: { secret: { file: 'shop' } }, other: { secret: { file: 'other' } } },
  tenants: { [audience]: { upstream, peers } },
});

/** Relay B with another directory, as soon as it is in use. */
const replace = async (content: object): Promise<void> => {
  inbound.log.items.length = 0;
  write('b.yaml', content);
  await inbound.log.find(({ msg }) => msg === 'the directory was replaced');
};

const send = (name: string): ReturnType<typeof request> =>
  request(outbound.url, {
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': name },
  });

/** Sends until a response has the status: a refused pairing is not tried again for a moment. */
const until = async (status: number): Promise<void> => {
  await expect.poll(async () => (await send('orders')).status, { timeout: 20_000 }).toBe(status);
};

beforeAll(async () => {
  folder = shared(await temporaryFolder()).path;
  upstream = shared(await startUpstream(echoBody)).url;
  writeFileSync(join(folder, 'shop'), SECRET);
  for (const name of ['other', 'third']) {
    writeFileSync(join(folder, name), randomBytes(32).toString('base64url'));
  }
  const file = write('b.yaml', withTenant('http://nobody.invalid', 'shop'));
  inbound = shared(await startRelay({ ...NO_VARIABLES, RELAY_CONFIG_FILE: file }));
  const sha256 = createHash('sha256').update(TOKEN).digest('hex');
  const ofClients = write('a.yaml', {
    peers: {
      orders: { origins: [inbound.url], secret: { file: 'shop' } },
      silent: { secret: { file: 'other' } },
      third: { origins: ['http://127.0.0.1:9'], secret: { file: 'third' } },
    },
    clients: { billing: { tokens: [{ sha256 }], peers: ['orders', 'silent'] } },
  });
  outbound = shared(await startRelay({ ...NO_VARIABLES, RELAY_CONFIG_FILE: ofClients }));
});

describe('docs/troubleshooting.md quotes what a directory file makes relay A refuse', () => {
  it.each([
    ['payments', 'x-mte-upstream is the name of no peer of this relay'],
    ['silent', 'x-mte-upstream names a peer that has no origin to be called at'],
    ['third', 'x-mte-upstream names a relay that this client may not call'],
    ['http://127.0.0.1:8', 'x-mte-upstream names a relay that may not be called'],
  ])('if a client names %s', async (name, quote) => {
    const { status, body } = await send(name);
    expect({ status, text: String(body) }).toEqual({
      status: 403,
      text: expect.stringContaining(quote) as string,
    });
    await expectQuoted(outbound, '401, 400 and 403', ['RELAY_UPSTREAM_REFUSED', quote]);
  });
});

describe('docs/troubleshooting.md quotes what relay B logs', () => {
  it('while no tenant has the audience, while the peer may not enter it, and when it may', async () => {
    const heading = '502 RELAY_PAIR_REFUSED';
    expect(await send('orders')).toMatchObject({ status: 502 });
    await expectQuoted(inbound, heading, ['RELAY_AUDIENCE_REFUSED', 'no tenant has the audience']);

    await replace(withTenant(inbound.url, 'other'));
    await until(502);
    await expectQuoted(inbound, heading, ['the peer shop may not enter the tenant']);

    await replace(withTenant(inbound.url, 'shop'));
    await until(200);
  });

  it('about a file that it refuses, by line and key', async () => {
    write('b.yaml', { peers: {}, tenant: {} });
    await expectQuoted(inbound, 'A changed directory file', [
      'the new directory cannot be used: the previous one stays in use',
    ]);
    expect(await send('orders')).toMatchObject({ status: 200 });
  });
});

describe('docs/troubleshooting.md quotes the startup error', () => {
  const peers = {
    payments: { origin: ['http://a'], secret: { file: 'shop' } },
    shop: { secret: { file: 'shop' } },
  };

  it.each([
    [{ peers }, 'relay.yaml:3: peers.payments.origin is no key: did you mean origins?'],
    [{ peers }, 'is the secret of peers.payments.secret too'],
    [{ tenants: {} }, 'tenants must not be there together with the variable UPSTREAM'],
    [undefined, 'RELAY_CONFIG_FILE cannot be read (ENOENT)'],
  ])('of the directory %j: %s', (content, quote) => {
    const path =
      content === undefined ? join(folder, 'missing.yaml') : write('relay.yaml', content);
    expect(section('The relay does not start')).toContain(quote);
    let problems: readonly string[] = [];
    try {
      loadConfig({ REDIS_URL: 'memory://', UPSTREAM: upstream, RELAY_CONFIG_FILE: path });
    } catch (error) {
      problems = (error as ConfigInvalidError).problems;
    }
    expect(problems.join('\n')).toContain(quote);
  });
});
