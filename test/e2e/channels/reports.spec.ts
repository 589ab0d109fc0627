import { connect, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { Clock } from '@relay/clock';
import { beforeAll, describe, expect, it } from 'vitest';

import { ShutdownState } from '../../../apps/relay/src/lifecycle/shutdown-state.js';
import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startBalancer } from '../../support/network/balancer.js';
import { listen, type Listening } from '../../support/network/listen.js';
import { samplesOf } from '../../support/relays/admin.js';
import { startRelay, type LogLine, type TestRelay } from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startUpstream, type UpstreamHandler } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
const CHANNEL = { TUNNEL_TRANSPORT: 'channel', ADMIN_PORT: '0', CHANNELS_PER_PEER: '1' };
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: CHANNEL }));
});

const OPENING = 'GET /api/mte-channel ';

/** A path that carries what a channel's opening is answered with, and then resets its connection. */
async function startCuttingPath(port: number): Promise<Listening & { readonly openings: number }> {
  let openings = 0;
  const listening = await listen(
    createServer((near) => {
      const far = connect(port, '127.0.0.1').on('error', () => undefined);
      near.pipe(far);
      near.on('data', (chunk: Buffer) => {
        openings += chunk.includes(OPENING) ? 1 : 0;
      });
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      far.on('data', (chunk: Buffer) => {
        if (chunk.toString('latin1').startsWith('HTTP/1.1 101 ')) {
          near.end(chunk.subarray(0, chunk.indexOf('\r\n\r\n') + 4), () => far.destroy());
        } else {
          near.write(chunk);
        }
      });
    }),
  );
  return {
    ...listening,
    get openings() {
      return openings;
    },
  };
}

const records = async (relay: TestRelay, role: string): Promise<number> =>
  (await samplesOf(relay)).get(`mte_relay_channel_records_total{role="${role}"}`) ?? NaN;
const ofChannel = (message: string) => (line: LogLine) => line.msg === message;

describe('the metrics of channels', () => {
  it('count records while the channel is open, the same at both relays', async () => {
    await tunnel.send();
    const before = await records(tunnel.outbound, 'outbound');
    await tunnel.send();
    const after = await records(tunnel.outbound, 'outbound');
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(before + 2);
    expect(await records(tunnel.inbound, 'inbound')).toBe(after);
  });

  it('show channels by state, and every other number from the start', async () => {
    await tunnel.send();
    expect(Object.fromEntries(await samplesOf(tunnel.outbound))).toMatchObject({
      'mte_relay_channels{role="outbound",state="open"}': 1,
      'mte_relay_channels{role="outbound",state="draining"}': 0,
      'mte_relay_channels{role="inbound",state="open"}': 0,
      'mte_relay_channel_streams{role="outbound"}': 0,
      'mte_relay_channel_openings_total{result="ok"}': 1,
      'mte_relay_channel_openings_total{result="no-channels"}': 0,
      'mte_relay_channel_ends_total{role="outbound",end="broken"}': 0,
      mte_relay_channel_fallbacks: 0,
      mte_relay_channel_waiting_bytes: 0,
      mte_relay_channel_buffer_bytes: 268_435_456,
      'mte_relay_upgraded_connections{role="outbound"}': 0,
      mte_relay_upgraded_connections_limit: 10_000,
    });
  });

  it('count streams that a relay at its limit refuses, at both relays by the same code', async () => {
    let answer = (): void => undefined;
    const handler: UpstreamHandler = (_, response) => {
      answer = () => response.end();
    };
    const full = forThisTest(
      await startTunnel({ both: CHANNEL, inbound: { MAX_CONCURRENT_REQUESTS: '1' }, handler }),
    );
    const first = full.send();
    await full.upstream.requests.count(1);
    expect((await full.send()).status).toBe(503);
    answer();
    await first;
    const name = (role: string, direction: string) =>
      `mte_relay_channel_resets_total{role="${role}",direction="${direction}",code="REFUSED_STREAM"}`;
    expect((await samplesOf(full.inbound)).get(name('inbound', 'out'))).toBe(1);
    expect((await samplesOf(full.outbound)).get(name('outbound', 'in'))).toBe(1);
  });
});

describe('/health/ready', () => {
  it('has the numbers of channels', async () => {
    await tunnel.send();
    for (const { url } of [tunnel.outbound, tunnel.inbound]) {
      const { body } = await request(url, { path: '/health/ready' });
      expect(JSON.parse(body.toString())).toMatchObject({
        details: { channels: { status: 'up', open: 1, streams: 0, fallbacks: 0 } },
      });
    }
  });
});

describe('the log', () => {
  it('says when a channel opens and why it ends, with the same name at both relays', async () => {
    const ended = forThisTest(await startTunnel({ both: CHANNEL }));
    await ended.send();
    const opened = await ended.outbound.log.find(ofChannel('channel opened'));
    expect(opened).toMatchObject({ role: 'outbound', peer: ended.inbound.url });
    const seen = await ended.inbound.log.find(ofChannel('channel opened'));
    expect(seen).toMatchObject({ role: 'inbound', exchange: opened['exchange'] });

    ended.inbound.app.get(ShutdownState).begin();
    const line = await ended.outbound.log.find(ofChannel('channel ended'));
    expect(line).toMatchObject({
      exchange: opened['exchange'],
      reason: 'the other relay ends it',
      streams: 1,
      records: expect.any(Number) as number,
      ms: expect.any(Number) as number,
    });
    expect(await ended.inbound.log.find(ofChannel('channel ended'))).toMatchObject({
      reason: 'this relay is shutting down',
      streams: 1,
    });
  });

  it('has an orderly end at both relays if the outbound relay is stopped', async () => {
    const stopped = forThisTest(await startTunnel({ both: CHANNEL }));
    await stopped.send();
    await stopped.outbound.close();
    expect(await stopped.outbound.log.find(ofChannel('channel ended'))).toMatchObject({
      reason: 'this relay is shutting down',
    });
    expect(await stopped.inbound.log.find(ofChannel('channel ended'))).toMatchObject({
      reason: 'the other relay ends it',
    });
  });

  it('says how many streams a channel took with it when it broke', async () => {
    const path = forThisTest(await startBalancer());
    const broken = forThisTest(await startTunnel({ both: CHANNEL, handler: () => undefined }));
    path.add(broken.inbound.port);
    const response = broken.send({ method: 'POST', headers: { 'x-mte-upstream': path.url } });
    await broken.upstream.requests.count(1);
    path.cut(broken.inbound.port);
    expect((await response).status).toBe(502);
    expect(await broken.outbound.log.find(ofChannel('channel broke'))).toMatchObject({
      level: 40,
      role: 'outbound',
      peer: path.url,
      streams: 1,
      brokenStreams: 1,
    });
  });
});

describe('a path that breaks channels', () => {
  it('after their 101 carries messages, is not tried again at once, and shows in the numbers', async () => {
    const auto = { TUNNEL_TRANSPORT: 'auto', ADMIN_PORT: '0' };
    const relay = forThisTest(await startTunnel({ both: auto }));
    const path = forThisTest(await startCuttingPath(relay.inbound.port));
    const send = () => relay.send({ headers: { 'x-mte-upstream': path.url } });
    await send();
    await relay.outbound.log.find(ofChannel('requests go as messages'));
    for (let count = 0; count < 20; count += 1) {
      expect((await send()).status).toBe(200);
      await nextTurn();
    }
    expect(path.openings).toBeLessThanOrEqual(2);
    expect((await samplesOf(relay.outbound)).get('mte_relay_channel_fallbacks')).toBe(1);
    const { body } = await request(relay.outbound.url, { path: '/health/ready' });
    expect(JSON.parse(body.toString())).toMatchObject({ details: { channels: { fallbacks: 1 } } });
  });

  it('as soon as they are open is not tried again before a pause', async () => {
    const clock = new HandMovedClock();
    let openings = 0;
    const path = forThisTest(
      await startBalancer({
        onSent: (chunk) => {
          openings += chunk.includes(OPENING) ? 1 : 0;
        },
      }),
    );
    const upstream = forThisTest(await startUpstream());
    const auto = { TUNNEL_TRANSPORT: 'auto', CHANNELS_PER_PEER: '1' };
    const inbound = forThisTest(await startRelay({ ...auto, UPSTREAM: upstream.url }));
    const outbound = forThisTest(
      await startRelay(auto, (builder) => builder.overrideProvider(Clock).useValue(clock)),
    );
    const client = tunnelClient(outbound.url, path.url);
    path.add(inbound.port);
    await client.send();
    const first = await outbound.log.find(ofChannel('channel opened'));
    path.cut(inbound.port);
    await outbound.log.find(ofChannel('channel broke'));
    path.heal(inbound.port);
    for (let count = 0; count < 10; count += 1) {
      expect((await client.send()).status).toBe(200);
    }
    expect(openings).toBe(1);
    clock.advance(250);
    await client.send();
    await outbound.log.find((line) => line.msg === 'channel opened' && line !== first);
    expect(openings).toBe(2);
  });
});
