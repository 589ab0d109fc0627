import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { Recorder } from '../../support/lifecycle/recorder.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { runs } from '../../support/programs/program.js';
import { hasPythonModule, pythonWith } from '../../support/programs/python.js';
import {
  startUpgradeWays,
  type UpgradeWay,
  type UpgradeWays,
} from '../../support/tunnels/upgrade-ways.js';

const PROGRAM = resolve('test/support/programs/docker_attach.py');

const shared = sharedResources();
const asked = new Recorder<{ readonly message: IncomingMessage; readonly socket: Socket }>();
let ways: UpgradeWays;

/** As the engine of Docker grants them. */
const GRANTED = [
  'HTTP/1.1 101 UPGRADED',
  'Content-Type: application/vnd.docker.raw-stream',
  'Connection: Upgrade',
  'Upgrade: tcp',
  'Api-Version: 1.43',
  '',
  '',
].join('\r\n');

const NO_SUCH_CONTAINER = '{"message":"No such container: none"}';

beforeAll(async () => {
  const server = createServer();
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    if (message.url?.includes('/none/') === true) {
      const head = `HTTP/1.1 404 Not Found\r\nContent-Length: ${NO_SUCH_CONTAINER.length}\r\n\r\n`;
      socket.end(head + NO_SUCH_CONTAINER);
      return;
    }
    socket.unshift(head);
    socket.write(GRANTED);
    asked.add({ message, socket });
  });
  ways = shared(
    await startUpgradeWays(shared(await listen(server)), { UPGRADE_PROTOCOLS: 'websocket,tcp' }),
  );
});

/** Asks for a connection as the clients of Docker do. */
function startAttach(way: UpgradeWay, path: string): ClientRequest {
  const client = request(way.url + path, {
    method: 'POST',
    createConnection: () =>
      connect({ port: Number(new URL(way.url).port), host: '127.0.0.1', allowHalfOpen: true }),
    headers: {
      ...way.headers,
      Connection: 'Upgrade',
      Upgrade: 'tcp',
      'Content-Type': 'text/plain',
      'Content-Length': '0',
    },
  });
  return client.end();
}

/** Asks for a connection that is granted, and finds its end at the API. */
async function attach(way: UpgradeWay) {
  const before = asked.items.length;
  const client = startAttach(way, '/v1.43/containers/x/attach?stream=1&stdin=1');
  const [response, socket, head] = (await once(client, 'upgrade')) as [
    IncomingMessage,
    Socket,
    Buffer,
  ];
  socket.unshift(head);
  const api = (await asked.count(before + 1))[before]!;
  return { response, client: socket, api: api.socket, message: api.message };
}

/** All that a socket receives until the other side ends its direction. `buffer` would destroy the socket then. */
async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

const digestOf = (octets: Buffer): string => createHash('sha256').update(octets).digest('hex');

const SIDES = ['client', 'api'] as const;

describe('a connection hijacked with Upgrade: tcp, compared with the same one directly', () => {
  it('is asked for and granted with the same fields', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { response, client, api, message } = await attach(way);
      client.end();
      api.end();
      await Promise.all([received(client), received(api)]);
      return {
        asked: [message.method, message.url, { ...message.headers, connection: 'upgrade' }],
        granted: [response.statusCode, { ...response.headers, connection: 'upgrade' }],
      };
    });

    expect(direct.granted[1]).toMatchObject({ upgrade: 'tcp', 'api-version': '1.43' });
    expect(tunnelled).toEqual(direct);
  });

  it('carries octets both ways at once, and each direction to its end', async () => {
    const forth = bytesOfSize(3_000_000);
    const back = Buffer.from(forth).reverse();
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await attach(way);
      client.end(forth);
      api.end(back);
      const both = await Promise.all([received(api), received(client)]);
      return both.map(digestOf);
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual([digestOf(forth), digestOf(back)]);
  });

  it.each(SIDES)(
    'lets the %s end its direction first, and still receive the rest',
    async (side) => {
      const rest = bytesOfSize(1_000_000);
      const { direct, tunnelled } = await ways.both(async (way) => {
        const { client, api } = await attach(way);
        const [first, second] = side === 'client' ? [client, api] : [api, client];
        const receivedLater = received(first);
        first.end('no more input');
        const receivedFirst = (await received(second)).toString();
        // The other direction begins only behind the end of the first.
        second.write(rest);
        second.end('last line');
        return { receivedFirst, receivedLater: digestOf(await receivedLater) };
      });

      expect(tunnelled).toEqual(direct);
      expect(direct).toEqual({
        receivedFirst: 'no more input',
        receivedLater: digestOf(Buffer.concat([rest, Buffer.from('last line')])),
      });
    },
  );

  it.each(SIDES)('is reset for the other side as the %s resets it', async (side) => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, api } = await attach(way);
      const [first, second] = side === 'client' ? [client, api] : [api, client];
      const lost = once(second, 'close').then(
        () => 'closed',
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      );
      second.resume();
      first.resetAndDestroy();
      return lost;
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toBe('ECONNRESET');
  });

  it('is 404 with the body of the API, where there is no such container', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const client = startAttach(way, '/v1.43/containers/none/attach');
      const [response] = (await once(client, 'response')) as [IncomingMessage];
      return [response.statusCode, (await buffer(response)).toString()];
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual([404, NO_SUCH_CONTAINER]);
  });
});

describe.skipIf(!hasPythonModule('docker'))("Docker's client for Python", () => {
  it.each([
    ['attach', '/v1.43/containers/x/attach', ''],
    ['exec', '/v1.43/exec/x/start', '{"Tty": true, "Detach": false}'],
  ])(
    '%s: sends its input to its end and reads the output to its end, as directly',
    async (verb, path, body) => {
      const output = Buffer.concat([bytesOfSize(1_000_000), Buffer.from('the end of the output')]);
      const { direct, tunnelled } = await ways.both(async (way) => {
        const before = asked.items.length;
        const url = way.url.replace('http', 'tcp');
        const printed = runs(pythonWith('docker'), [
          PROGRAM,
          url,
          JSON.stringify(way.headers),
          verb,
        ]);
        const { socket, message } = (await asked.count(before + 1))[before]!;
        const input = (await received(socket)).toString();
        socket.end(output);
        return { input, target: message.url, printed: await printed };
      });

      expect(tunnelled).toEqual(direct);
      // Node.js 20 leaves the body of such a request on its connection, before the input; Node.js 26 reads it.
      expect(['', body].map((before) => `${before}a line of input\n`)).toContain(direct.input);
      expect(direct.target).toMatch(path);
      expect(JSON.parse(direct.printed)).toEqual({
        bytes: output.length,
        last: 'he end of the output',
      });
    },
  );
});
