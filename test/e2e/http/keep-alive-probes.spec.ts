import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { openSocket } from '../../support/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/resources.js';

const isLinux = process.platform === 'linux';
/** Of a line in /proc/net/tcp: local port, state ESTABLISHED, kind of timer. */
const LINE = /^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) [0-9A-F:]{13} 01 [0-9A-F:]{17} (\d\d):/;
const KEEP_ALIVE_TIMER = '02';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

/** The timers of the connections that a server on that port has accepted. */
function timersOn(port: number): string[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, local = '', timer = ''] = LINE.exec(line) ?? [];
      return parseInt(local, 16) === port ? [timer] : [];
    });
}

/** What a silent event stream has instead of a limit: who vanished without a word is noticed in the end. */
describe.skipIf(!isLinux)('a silent event stream', () => {
  it('is probed by TCP keep-alive on the connections that either relay has accepted', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    });
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('GET /events HTTP/1.1'));
    await client.until('\r\n\r\n');

    expect(timersOn(tunnel.outbound.port)).toEqual([KEEP_ALIVE_TIMER]);
    expect(timersOn(tunnel.inbound.port)).toContain(KEEP_ALIVE_TIMER);
  });
});
