import { expect } from 'vitest';

import {
  ConcurrencyLimit,
  PassThroughLimit,
} from '../../../apps/relay/src/admission/concurrency-limit.js';
import { UpgradeLimit } from '../../../apps/relay/src/admission/upgraded-connections.js';
import { startChannelPath, type ChannelPath } from '../attackers/channel-path.js';
import { Recorder } from '../lifecycle/recorder.js';
import { forThisTest } from '../lifecycle/resources.js';
import { headBytes, type Field } from '../network/raw-http.js';
import {
  openSocket,
  startRawServer,
  type RawServer,
  type RawSocket,
} from '../network/raw-socket.js';
import { samplesOf } from '../relays/admin.js';
import { TOKEN, startRelay, type Adjust, type TestRelay } from '../relays/relay.js';
import type { UpgradeTunnelOptions } from './upgrade-tunnel.js';

/** The fields by which a client asks for an upgrade. */
export const UPGRADE: readonly Field[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
];

/** How an API grants an upgrade. */
export const GRANTED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** How an API answers an ordinary request. */
export const ORDINARY = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 8\r\n\r\nordinary';

/** A relay has noticed that a connection is gone, also on a slow machine. */
const GONE = { timeout: 30_000 };

/** One request at the API, whose connection the test has. */
export interface AskedRequest {
  readonly head: string;
  readonly connection: RawSocket;
}

/** Both ends of an upgraded connection. */
export interface OctetEnds {
  readonly client: RawSocket;
  readonly api: RawSocket;
}

/** A tunnel for upgrades between raw sockets, with an attacker on the path. */
export interface OctetTunnel {
  readonly inbound: TestRelay;
  readonly outbound: TestRelay;
  readonly path: ChannelPath;
  readonly api: RawServer;
  /** What the API was asked for, connection by connection. */
  readonly asked: Recorder<AskedRequest>;
  /** The fields that a client of this tunnel sends. */
  readonly fields: readonly Field[];
  /** Sets what the API does once it has read a head; at first it grants what it is asked for. */
  answer(script: (request: AskedRequest) => void): void;
  /** The head of a request with `fields` and others. */
  head(startLine: string, ...others: readonly Field[]): Buffer;
  /** Asks for an upgrade, or sends other bytes, on a connection of its own for this test. */
  ask(...bytes: readonly (Buffer | string)[]): RawSocket;
  /** Asks for an upgrade that is granted. */
  open(): Promise<OctetEnds>;
  /** Both relays, and the API, have given back all that they had because of upgrades. */
  expectNothingLeft(): Promise<void>;
  close(): Promise<void>;
}

export interface OctetTunnelOptions extends UpgradeTunnelOptions {
  /** Replaces providers of the inbound relay. */
  readonly adjustInbound?: Adjust;
}

export async function startOctetTunnel(options: OctetTunnelOptions = {}): Promise<OctetTunnel> {
  const asked = new Recorder<AskedRequest>();
  const grant = ({ connection }: AskedRequest): void => {
    connection.write(GRANTED);
  };
  let script = grant;
  const api = await startRawServer((connection) => {
    const onHead = (head: Buffer): void => {
      const request = { head: head.toString('latin1'), connection };
      asked.add(request);
      script(request);
    };
    // A relay also opens connections that it then has no request for.
    connection.until('\r\n\r\n').then(onHead, () => undefined);
  });
  const both = { TUNNEL_TRANSPORT: 'auto', ADMIN_PORT: '0', ...options.both };
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...both, UPSTREAM: api.url, ...options.inbound }, options.adjustInbound),
    startRelay({ ...both, ...options.outbound }),
  ]);
  const path = await startChannelPath(inbound.port);
  const fields: readonly Field[] = [
    ['Host', 'api.example.com'],
    ['X-MTE-Outbound-Token', TOKEN],
    ['X-MTE-Upstream', path.url],
  ];
  const head = (startLine: string, ...others: readonly Field[]): Buffer =>
    headBytes(startLine, [...fields, ...others]);
  const ask = (...bytes: readonly (Buffer | string)[]): RawSocket => {
    const client = forThisTest(openSocket(outbound.port));
    for (const part of bytes.length === 0 ? [head('GET /ws HTTP/1.1', ...UPGRADE)] : bytes) {
      client.write(part);
    }
    return client;
  };
  return {
    inbound,
    outbound,
    path,
    api,
    asked,
    fields,
    head,
    ask,
    answer: (next) => {
      script = next;
    },
    open: async () => {
      script = grant;
      const before = asked.items.length;
      const client = ask();
      const [request] = (await asked.count(before + 1)).slice(before);
      await client.until('\r\n\r\n');
      if (request === undefined || !client.received.toString().startsWith('HTTP/1.1 101 ')) {
        throw new Error(`the upgrade was refused: ${client.received.toString()}`);
      }
      return { client, api: request.connection };
    },
    expectNothingLeft: async () => {
      await expect.poll(() => leftOf(outbound), GONE).toEqual(NOTHING_LEFT);
      const leftOfInbound = (): ReturnType<typeof leftOf> => {
        endUnused(api);
        return leftOf(inbound);
      };
      await expect.poll(leftOfInbound, GONE).toEqual(NOTHING_LEFT);
      const isOpen = ({ connection }: AskedRequest): boolean => !connection.socket.destroyed;
      await expect.poll(() => asked.items.filter(isOpen).length, GONE).toBe(0);
    },
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), api.close(), path.close()]);
    },
  };
}

/** Ends the connections of which the relay has made no use yet; it would keep each of them for four seconds. */
function endUnused({ connections }: RawServer): void {
  for (const { received, socket } of connections.items) {
    if (received.length === 0) {
      socket.destroy();
    }
  }
}

const NOTHING_LEFT = { upgraded: 0, places: [0, 0, 0], sockets: [0, 0, 0] };

/** What a relay has because of requests and upgrades, by its metrics and its limits. */
async function leftOf(relay: TestRelay): Promise<typeof NOTHING_LEFT> {
  const samples = await samplesOf(relay);
  const inRole = (role: string): number =>
    samples.get(`mte_relay_upgraded_connections{role="${role}"}`) ?? NaN;
  const places = [UpgradeLimit, ConcurrencyLimit, PassThroughLimit].map(
    (limit) => relay.app.get<{ inUse: number }>(limit, { strict: false }).inUse,
  );
  const [listener = NaN, ...others] = ['listener', 'peers', 'upstream'].map(
    (side) => samples.get(`mte_relay_open_sockets{side="${side}"}`) ?? NaN,
  );
  // Those of ordinary requests stay open.
  const channels = ['open', 'draining'].map(
    (state) => samples.get(`mte_relay_channels{role="inbound",state="${state}"}`) ?? NaN,
  );
  const sockets = [channels.reduce((rest, count) => rest - count, listener), ...others];
  return {
    upgraded: inRole('outbound') + inRole('inbound') + inRole('pass-through'),
    places,
    sockets,
  };
}

/** The outcome of a request that was refused, and whose connection has ended. */
export async function refusalOf(
  client: RawSocket,
): Promise<{ readonly status: number; readonly code: string; readonly forwarded: string }> {
  const received = (await client.all()).toString('latin1');
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(received) ?? [];
  const [, code = '', forwarded = ''] = /"code":"(\w+)".*"forwarded":"(\w+)"/.exec(received) ?? [];
  return { status: Number(status), code, forwarded };
}

/** Octets that differ from one another, so that none can be lost or exchanged unnoticed. */
export function countedOctets(length: number): Buffer {
  return Buffer.from(
    Array.from({ length: length / 4 }, (_, at) => [at >> 16, at >> 8, at, 7]).flat(),
  );
}
