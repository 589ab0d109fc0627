import { once } from 'node:events';
import { resolve } from 'node:path';

import { describe, expect, it } from 'vitest';
import type { VerifyClientCallbackAsync } from 'ws';

import { openWebSocket, type OpenedWebSocket } from '../../support/clients/web-socket-client.js';
import { bytesOfSize } from '../../support/http-cases/bodies.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { runs, startProgram } from '../../support/programs/program.js';
import { hasPythonModule, pythonWith } from '../../support/programs/python.js';
import { startUpgradeWays, type UpgradeWay } from '../../support/tunnels/upgrade-ways.js';
import {
  startWebSocketServer,
  type RecordedWebSocket,
} from '../../support/upstreams/web-socket-server.js';

const PROGRAM = resolve('test/support/programs/web_sockets.py');
const LARGE_BYTES = 16_777_216;
const CODES = [1000, 1001, 1008, 1011, 4000];

/** As the Python server does: sends messages back, and ends the WebSocket as a message says. */
function serve({ socket }: RecordedWebSocket): void {
  socket.on('message', (data: Buffer, isBinary) => {
    const [verb, code] = isBinary ? [] : data.subarray(0, 20).toString().split(' ');
    if (verb === 'close') {
      socket.close(Number(code), 'as asked');
    } else if (verb === 'drop') {
      socket.terminate();
    } else {
      socket.send(data, { binary: isBinary });
    }
  });
}

/** Refuses one path. */
const verifyClient: VerifyClientCallbackAsync = ({ req }, done) => {
  if (req.url === '/refuse') {
    done(false, 403, 'Forbidden', { 'x-reason': 'not you' });
  } else {
    done(true);
  }
};

const startPythonServer = async () => {
  const child = startProgram(pythonWith('websockets'), [PROGRAM, 'server']);
  child.stderr.resume();
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return {
    url: `http://127.0.0.1:${Number(line)}`,
    close: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
};

/** Lets a client say something, and resolves with all that it was told before its end. */
async function said(client: OpenedWebSocket, ...messages: (string | Buffer)[]) {
  for (const message of messages) {
    client.socket.send(message);
  }
  return client.closed();
}

describe.skipIf(!hasPythonModule('websockets'))("Python's websockets", () => {
  it('see as a client of ws, through the tunnel, what they see directly', async () => {
    const options = { verifyClient, perMessageDeflate: true };
    const server = forThisTest(await startWebSocketServer(serve, options));
    const ways = forThisTest(await startUpgradeWays(server));

    const { direct, tunnelled } = await ways.both(async ({ webSocketUrl, headers }) => {
      const args = ['client', webSocketUrl, JSON.stringify(headers)];
      const output = await runs(pythonWith('websockets'), [PROGRAM, ...args]);
      return JSON.parse(output) as Readonly<Record<string, unknown>>;
    });

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual({
      talk: [
        ['open', 'chat', ['permessage-deflate']],
        ['text', 9, 'grüße, 世界'],
        ['binary', 3, '00ff80'],
        ['text', 9, 'fragments'],
        ['text', LARGE_BYTES, 'x'.repeat(40)],
        ['binary', LARGE_BYTES, '00'.repeat(8)],
        ['text', 0, ''],
        ['ponged'],
        ['close', 4000, 'said all'],
      ],
      refused: [403, 'not you'],
      ...Object.fromEntries(
        CODES.map((code) => [
          `close ${code}`,
          [code < 1002 ? 'ConnectionClosedOK' : 'ConnectionClosedError', code, 'as asked'],
        ]),
      ),
      drop: ['ConnectionClosedError'],
    });
    const [first] = server.accepted.items.filter(
      ({ request }) => request.url === '/echo?from=python',
    );
    expect(first?.request.headers).toMatchObject({
      authorization: 'Bearer of the API',
      cookie: 'session=abc',
    });
  });

  it('serve ws through the tunnel as they do directly', async () => {
    const server = forThisTest(await startPythonServer());
    const ways = forThisTest(await startUpgradeWays(server));
    const large = Buffer.alloc(LARGE_BYTES, bytesOfSize(65_537));
    const text = 'a well-compressed line\n'.repeat(50_000);

    const talk = async (way: UpgradeWay) => {
      const open = () => openWebSocket(way, { protocols: ['chat', 'v2.chat'] });
      const talking = await open();
      const { protocol, extensions } = talking.socket;
      const echoed = await said(talking, 'grüße', large, text, '', 'close 1000');
      const closed = [];
      for (const code of CODES) {
        closed.push(await said(await open(), `close ${code}`));
      }
      return { protocol, extensions, echoed, closed, dropped: await said(await open(), 'drop') };
    };
    const { direct, tunnelled } = await ways.both(talk);

    expect(tunnelled).toEqual(direct);
    expect(direct).toMatchObject({ protocol: 'v2.chat', extensions: 'permessage-deflate' });
    expect(direct.echoed.map(([name]) => name)).toEqual([
      'text',
      'binary',
      'text',
      'text',
      'close',
    ]);
    expect(direct.closed).toEqual(CODES.map((code) => [['close', code, 'as asked']]));
    expect(direct.dropped).toEqual([['close', 1006, '']]);
  });
});
