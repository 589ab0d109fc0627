import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { temporaryFolder } from '../../support/lifecycle/temporary-folder.js';
import { listen } from '../../support/network/listen.js';
import { hasChromium, startChromium } from '../../support/programs/chromium.js';
import { startSidecar } from '../../support/programs/sidecar.js';
import { WEB_SOCKET_PAGE } from '../../support/programs/web-socket-page.js';
import {
  startUpgradeWays,
  type UpgradeWay,
  type UpgradeWays,
} from '../../support/tunnels/upgrade-ways.js';

/** What the script of the page saw, by its name. */
type Report = Readonly<Record<string, unknown>>;

const REPORT_LIMIT_MS = 90_000;

const shared = sharedResources();
const reports = new Recorder<Report>();
const asked = new Recorder<IncomingMessage>();
let ways: UpgradeWays;

/** Serves the page, and takes its report. */
const site = createServer((request, response) => {
  if (request.method === 'POST') {
    void json(request).then((report) => {
      response.end();
      reports.add(report as Report);
    });
  } else {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/fetched' ? 'fetched' : WEB_SOCKET_PAGE);
  }
});

/** Does with a WebSocket what its path says. */
function serve(socket: WebSocket, { url = '' }: IncomingMessage): void {
  if (url.startsWith('/close/')) {
    socket.close(Number(url.slice('/close/'.length)), `as asked: ${url}`);
  } else if (url === '/drop') {
    socket.once('message', () => {
      socket.terminate();
    });
  } else {
    socket.on('message', (message: Buffer, isBinary) => {
      socket.send(message, { binary: isBinary });
    });
  }
}

beforeAll(async () => {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  site.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.add(request);
    if (request.url === '/refuse') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    } else {
      webSockets.handleUpgrade(request, socket, head, serve);
    }
  });
  ways = shared(await startUpgradeWays(shared(await listen(site))));
});

/** Opens the page in a browser of its own, and waits for its report. */
async function reportOf(way: UpgradeWay): Promise<Report> {
  const before = reports.items.length;
  const sidecar = await startSidecar(way.url, way.headers);
  const browser = startChromium(sidecar.url, await temporaryFolder());
  const failed = browser.ended.then((log) => {
    throw new Error(`Chromium ended before its page had reported\n${log}`);
  });
  try {
    const all = await Promise.race([reports.count(before + 1, REPORT_LIMIT_MS), failed]);
    return all[before]!;
  } finally {
    failed.catch(() => undefined);
    await browser.close();
    await sidecar.close();
  }
}

describe.skipIf(!hasChromium())('a page in Chromium, behind a sidecar that adds the fields', () => {
  it('sees of its WebSockets through the tunnel what it sees of them directly', async () => {
    const { direct, tunnelled } = await ways.both(reportOf);

    expect(tunnelled).toEqual(direct);
    const talk = [
      ['open', 'chat', 'permessage-deflate'],
      ['text', 5, 'hello'],
      ['text', 9, 'grüße, 世界'],
      ['binary', 4, [0, 255, 128, 7]],
      ['text', 1_048_576, 'x'.repeat(40)],
      ['binary', 1_048_576, Array.from({ length: 8 }, () => 9)],
      ['close', 4000, 'said all', true],
    ];
    expect(direct['talk']).toEqual(talk);
    for (const code of [1000, 1001, 1008, 1011, 4000]) {
      const close = ['close', code, `as asked: /close/${code}`, true];
      expect(direct[`closed with ${code}`]).toEqual([['open', '', 'permessage-deflate'], close]);
    }
    expect(direct['dropped']).toEqual([
      ['open', '', 'permessage-deflate'],
      ['close', 1006, '', false],
    ]);
    expect(direct['refused']).toEqual([['error'], ['close', 1006, '', false]]);
    expect(direct['several']).toHaveLength(4);
    expect(direct['fetched']).toBe('fetched');
    const [first] = asked.items.filter(({ url }) => url === '/echo?from=page').slice(-1);
    expect(first?.headers).toMatchObject({ cookie: 'of-page=1' });
    expect(Object.keys(first?.headers ?? {}).join()).not.toContain('x-mte');
  });
});
