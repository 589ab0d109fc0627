import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { openSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';

const isLinux = process.platform === 'linux';
/** A line of /proc/net/tcp in state ESTABLISHED: its local port and the kind of its timer. */
const LINE = /^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) [0-9A-F:]{13} 01 [0-9A-F:]{17} (\d\d):/;
const KEEP_ALIVE_TIMER = '02';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

/** The timers of the connections that the server on the given port has accepted. */
function timersOn(port: number): string[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, local = '', timer = ''] = LINE.exec(line) ?? [];
      return parseInt(local, 16) === port ? [timer] : [];
    });
}

/** A silent event stream has no time limit. The probes detect a client or an upstream that has disappeared. */
describe.skipIf(!isLinux)('a silent event stream', () => {
  it('is probed by TCP keep-alive on the connections that each relay has accepted', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    });
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('GET /events HTTP/1.1'));
    await client.until('\r\n\r\n');

    // Until the bytes of the head are acknowledged, the timer is that of their retransmission.
    const limit = { timeout: 10_000 };
    await expect.poll(() => timersOn(tunnel.outbound.port), limit).toEqual([KEEP_ALIVE_TIMER]);
    await expect.poll(() => timersOn(tunnel.inbound.port), limit).toContain(KEEP_ALIVE_TIMER);
  });
});
