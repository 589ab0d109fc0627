import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { MAX_CONNECTION_AGE_MS } from '@relay/http';
import { Clock } from '@relay/clock';
import { beforeEach, describe, expect, it } from 'vitest';

import { openRequest, request, type ClientResponse } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { startNameService, type NameService } from '../../support/network/name-service.js';
import {
  TOKEN,
  startRelay,
  type RelayEnvironment,
  type TestRelay,
} from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';

/**
 * The upstream and relay B each listen on all loopback addresses, and their names move from one address to another, as those of
 * a blue-green deployment or a headless service do.
 */
const OLD = '127.0.0.1';
const NEW = '127.0.0.2';

let names: NameService;
let clock: HandMovedClock;
let inbound: TestRelay;
let outbound: TestRelay;
/** The addresses at which requests arrived. */
let atUpstream: (string | undefined)[];
let atInbound: (string | undefined)[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

const start = async (environment: RelayEnvironment): Promise<TestRelay> =>
  forThisTest(
    await startRelay(environment, (builder) => builder.overrideProvider(Clock).useValue(clock)),
  );

beforeEach(async () => {
  names = forThisTest(startNameService());
  names.say('api.example', [OLD]);
  names.say('relay-b.example', [OLD]);
  clock = new HandMovedClock();
  atUpstream = [];
  atInbound = [];
  respond = (_request, response) => response.end('ok');
  const server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    atUpstream.push(message.socket.localAddress);
    respond(message, response);
  });
  const { port } = forThisTest(await listen(server, 0, '0.0.0.0'));
  inbound = await start({
    HOST: '0.0.0.0',
    UPSTREAM: `http://api.example:${port}`,
    PASS_THROUGH_ROUTES: '/*',
  });
  inbound.app.getHttpServer().on('request', ({ socket, headers }: IncomingMessage) => {
    if (headers['x-mte-relay'] !== undefined) {
      atInbound.push(socket.localAddress);
    }
  });
  outbound = await start({});
});

const clientHeaders = () => ({
  'x-mte-outbound-token': TOKEN,
  'x-mte-upstream': `http://relay-b.example:${inbound.port}`,
});

const throughTunnel = (): Promise<ClientResponse> =>
  request(outbound.url, { headers: clientHeaders() });
const passedThrough = (): Promise<ClientResponse> => request(`http://${OLD}:${inbound.port}`);

describe('a name that moves to another address', () => {
  it.each([
    ['of the upstream (tunnel)', 'api.example', throughTunnel, () => atUpstream],
    ['of the upstream (pass-through)', 'api.example', passedThrough, () => atUpstream],
    ['of the other relay', 'relay-b.example', throughTunnel, () => atInbound.slice(1)],
  ])('%s is followed after five minutes, under load', async (_whose, name, send, seen) => {
    await send();
    names.say(name, [NEW]);
    clock.advance(0.8 * MAX_CONNECTION_AGE_MS - 1);
    await send();
    clock.advance(0.2 * MAX_CONNECTION_AGE_MS + 1);
    await send();
    await send();

    expect(seen()).toEqual([OLD, OLD, NEW, NEW]);
  });

  it('does not end a response that is under way on an old connection', async () => {
    const slow = new Promise<ServerResponse>((resolve) => {
      respond = (_request, response) => {
        response.write('begun ');
        resolve(response);
      };
    });
    const { message } = await openRequest(outbound.url, { headers: clientHeaders() });
    names.say('api.example', [NEW]);
    names.say('relay-b.example', [NEW]);
    clock.advance(2 * MAX_CONNECTION_AGE_MS);
    const first = await slow;
    respond = (_request, response) => response.end('ok');
    await throughTunnel();
    first.end('and ended');

    const chunks: Buffer[] = [];
    for await (const chunk of message) {
      chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks).toString()).toBe('begun and ended');
    expect(atUpstream).toEqual([OLD, NEW]);
    await throughTunnel();
    expect(atUpstream).toEqual([OLD, NEW, NEW]);
  });

  it('causes no check of the session: the relay itself has ended the connection', async () => {
    await throughTunnel();
    clock.advance(MAX_CONNECTION_AGE_MS);
    await throughTunnel();
    await request(outbound.url, { method: 'POST', headers: clientHeaders(), body: 'x' });

    // A pairing, two GETs, and the POST.
    expect(atInbound).toHaveLength(4);
  });
});
