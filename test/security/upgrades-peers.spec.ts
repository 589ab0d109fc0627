import { encodeResponseHead, encodeSwitching } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { UpgradeReceiver } from '../../apps/relay/src/inbound/upgrade-receiver.js';
import { ChannelAttacker } from '../support/attackers/channel-attacker.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { Code, END, Type, dataFrame, headersFrame } from '../support/protocol/channel-frames.js';
import { GRANTED, startOctetTunnel, type OctetTunnel } from '../support/tunnels/octet-tunnel.js';

/** The flag of HEADERS that ask for an upgrade or grant it. */
const UPGRADE = 0x40;
const ROUTES = { MTE_ROUTES: '/ws/*' };

const shared = sharedResources();

describe('a peer that asks for an upgrade as no outbound relay would', () => {
  let tunnel: OctetTunnel;
  let peer: ProtocolClient;

  beforeAll(async () => {
    tunnel = shared(await startOctetTunnel({ inbound: ROUTES }));
    peer = await ProtocolClient.pair(tunnel.inbound.url);
  });

  beforeEach(() => {
    tunnel.asked.items.length = 0;
    tunnel.answer(({ connection }) => {
      connection.write(GRANTED);
    });
  });

  const open = async (): Promise<ChannelAttacker> =>
    forThisTest(await ChannelAttacker.open(peer, tunnel.inbound.port, undefined, { type: 'conn' }));

  const asking = (fields: readonly string[] = ['upgrade', 'websocket'], path = '/ws/1'): Buffer =>
    headersFrame(1, { path, fields }, UPGRADE);

  const resetOf = async (attacker: ChannelAttacker): Promise<number> => {
    const { payload } = await attacker.frames.find(({ type }) => type === Type.RST_STREAM);
    return payload.readUInt32BE();
  };

  const headOf = async (attacker: ChannelAttacker): Promise<string> => {
    const { payload } = await attacker.frames.find(({ type }) => type === Type.HEADERS);
    return payload.toString('latin1');
  };

  it('is served if it asks as one would', async () => {
    const attacker = await open();
    attacker.send(asking());
    expect(await headOf(attacker)).toContain('websocket');
    attacker.send(dataFrame(1, 'octets'));
    await tunnel.asked.items[0]!.connection.until('\r\n\r\noctets');
    await attacker.close();
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, readonly string[]]>([
    ['no protocol', []],
    ['an empty protocol', ['upgrade', '']],
    ['two protocols', ['upgrade', 'websocket', 'upgrade', 'tcp']],
    ['the same protocol twice', ['upgrade', 'websocket', 'upgrade', 'websocket']],
    ['a list of protocols', ['upgrade', 'websocket, tcp']],
    ['a protocol and a field of the connection', ['upgrade', 'websocket', 'connection', 'upgrade']],
    ['a protocol and a transfer coding', ['upgrade', 'websocket', 'transfer-encoding', 'chunked']],
  ])('#87 with %s: its stream is reset, and the API not asked', async (_what, fields) => {
    const attacker = await open();
    attacker.send(asking(fields));
    expect(await resetOf(attacker)).toBe(Code.PROTOCOL);
    expect(tunnel.asked.items).toEqual([]);
    await attacker.close();
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, Buffer]>([
    ['octets', dataFrame(1, 'GET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n')],
    ['the end of its direction', dataFrame(1, '', END)],
  ])(
    '#87 and sends %s before the 101: neither reaches the API, whose connection is ended',
    async (_what, frame) => {
      tunnel.answer(() => undefined);
      const attacker = await open();
      attacker.send(asking());
      const { head, connection } = await tunnel.asked.find();
      attacker.send(frame);

      // Not PROTOCOL_ERROR: it would prove that nothing was forwarded.
      expect(await resetOf(attacker)).toBe(Code.INTERNAL);
      await connection.ended;
      expect(connection.received.toString()).toBe(head);
      await attacker.close();
      await tunnel.expectNothingLeft();
    },
  );

  it.each<readonly [string, string, number]>([
    ['more', 'bcd', 0],
    ['less', 'b', END],
  ])(
    '#87 and sends %s than the body that its head states: its stream is reset',
    async (_what, body, flags) => {
      tunnel.answer(() => undefined);
      const attacker = await open();
      attacker.send(asking(['upgrade', 'websocket', 'content-length', '3']), dataFrame(1, 'a'));
      const { connection } = await tunnel.asked.find();
      attacker.send(dataFrame(1, body, flags));

      expect(await resetOf(attacker)).toBe(Code.INTERNAL);
      await connection.ended;
      expect(connection.received.toString()).toMatch(/\r\n\r\na\n?$/);
      await attacker.close();
      await tunnel.expectNothingLeft();
    },
  );

  it('#87 and sends octets in the same record: they never reach the API', async () => {
    const attacker = await open();
    attacker.send(asking(), dataFrame(1, 'GET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n'));

    expect(await resetOf(attacker)).toBe(Code.PROTOCOL);
    await attacker.close();
    await tunnel.expectNothingLeft();
    for (const { connection } of tunnel.asked.items) {
      expect(connection.received.toString()).not.toContain('smuggled');
    }
  });

  it.each<readonly [string, Buffer]>([
    ['asks without the flag of an upgrade', headersFrame(1, { path: '/ws/1' })],
    ['asks, and ends its direction at once', headersFrame(1, { path: '/ws/1' }, UPGRADE | END)],
    ['begins with another stream', headersFrame(3, { path: '/ws/1' }, UPGRADE)],
    ['sends octets only', dataFrame(1, 'octets')],
  ])('#87 and %s: its channel ends, and the API is not asked', async (_what, frame) => {
    const attacker = await open();
    attacker.send(frame);
    expect(await attacker.closeCodes.find()).toBe(1002);
    expect(tunnel.asked.items).toEqual([]);
    await attacker.close();
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, Buffer]>([
    [
      'a second stream',
      headersFrame(3, { path: '/ws/2', fields: ['upgrade', 'websocket'] }, UPGRADE),
    ],
    ['its request again', asking()],
  ])(
    '#87 and sends %s behind its 101: its channel ends, and with it the connection to the API',
    async (_what, frame) => {
      const attacker = await open();
      attacker.send(asking());
      await headOf(attacker);
      attacker.send(frame);
      expect(await attacker.closeCodes.find()).toBe(1002);
      expect(await tunnel.asked.items[0]!.connection.ended).toBe('reset');
      expect(tunnel.asked.items).toHaveLength(1);
      await attacker.close();
      await tunnel.expectNothingLeft();
    },
  );

  it.each<readonly [string, readonly string[], string, string]>([
    [
      'a path that MTE_ROUTES does not list',
      ['upgrade', 'websocket'],
      '/other',
      'RELAY_ROUTE_UNKNOWN',
    ],
    [
      'a path that leads out of them',
      ['upgrade', 'websocket'],
      '/ws/%2e%2e/other',
      'RELAY_PATH_REFUSED',
    ],
    [
      'a protocol that this relay does not list',
      ['upgrade', 'tcp'],
      '/ws/1',
      'RELAY_UPGRADE_UNSUPPORTED',
    ],
    [
      'the credentials of a connection',
      ['upgrade', 'websocket', 'authorization', 'NTLM TlRMTVNTUAABAAAA'],
      '/ws/1',
      'RELAY_CONNECTION_AUTH_UNSUPPORTED',
    ],
  ])(
    '#92 and names %s: it has an error, and the API is not asked',
    async (_what, fields, path, code) => {
      const attacker = await open();
      attacker.send(asking(fields, path));
      const { payload } = await attacker.frames.find(({ type }) => type === Type.DATA);
      expect(payload.toString()).toContain(`"code":"${code}"`);
      expect(payload.toString()).toContain('"forwarded":"no"');
      expect(tunnel.asked.items).toEqual([]);
      await attacker.close();
      await tunnel.expectNothingLeft();
    },
  );

  it('#88 of an API that grants another protocol: it has an error, and none of the octets', async () => {
    tunnel.answer(({ connection }) => {
      connection.write(`${GRANTED.replace('websocket', 'h2c')}evil octets`);
    });
    const attacker = await open();
    attacker.send(asking());
    const { payload } = await attacker.frames.find(({ type }) => type === Type.DATA);
    expect(payload.toString()).toContain('"code":"RELAY_UPSTREAM_FAILED"');
    const heads = attacker.frames.items.filter(({ type }) => type === Type.HEADERS);
    expect(heads.map(({ flags }) => flags & UPGRADE)).toEqual([0]);
    await attacker.close();
    await tunnel.expectNothingLeft();
  });
});

describe('#87 a peer that grants an upgrade as no inbound relay would', () => {
  interface Answer {
    readonly bytes: Buffer;
    readonly isUpgrade: boolean;
  }

  let tunnel: OctetTunnel;
  let answer: Answer;

  beforeAll(async () => {
    const receiver: Pick<UpgradeReceiver, 'receive'> = {
      receive: (stream) => {
        stream.start({ ...answer, isLast: false });
        stream.write(Buffer.from('evil octets'));
        stream.release();
        return {
          onData: () => true,
          onEnd: () => undefined,
          onDrain: () => undefined,
          onUnwanted: () => undefined,
          onFailure: () => undefined,
        };
      },
    };
    tunnel = shared(
      await startOctetTunnel({
        adjustInbound: (builder) => builder.overrideProvider(UpgradeReceiver).useValue(receiver),
      }),
    );
  });

  const head = (status: number, fields: readonly string[]): Buffer =>
    encodeResponseHead({ status, fields });

  it('is believed if it grants as one would', async () => {
    answer = { bytes: encodeSwitching([], 'WebSocket'), isUpgrade: true };
    const client = tunnel.ask();
    expect((await client.until('octets')).toString()).toMatch(/^HTTP\/1\.1 101 /);
    client.socket.resetAndDestroy();
    await tunnel.expectNothingLeft();
  });

  it.each<readonly [string, Answer]>([
    ['another protocol', { bytes: encodeSwitching([], 'tcp'), isUpgrade: true }],
    [
      'two',
      { bytes: head(101, ['upgrade', 'websocket', 'upgrade', 'websocket']), isUpgrade: true },
    ],
    ['a list', { bytes: head(101, ['upgrade', 'websocket, tcp']), isUpgrade: true }],
    ['none', { bytes: head(101, []), isUpgrade: true }],
    ['it with a status of 200', { bytes: head(200, ['upgrade', 'websocket']), isUpgrade: true }],
    [
      'it without saying so in its frame',
      { bytes: head(101, ['upgrade', 'websocket']), isUpgrade: false },
    ],
    [
      'it with a field of the connection',
      { bytes: head(101, ['upgrade', 'websocket', 'connection', 'close']), isUpgrade: true },
    ],
    [
      'it with a transfer coding',
      {
        bytes: head(101, ['upgrade', 'websocket', 'transfer-encoding', 'chunked']),
        isUpgrade: true,
      },
    ],
    ['it in a head that cannot be read', { bytes: Buffer.from('evil'), isUpgrade: true }],
  ])('%s: the client has an error, and none of its octets', async (_what, next) => {
    answer = next;
    const received = (await tunnel.ask().all()).toString();
    expect(received).toMatch(/^HTTP\/1\.1 502 .*"forwarded":"maybe"/s);
    expect(received).not.toContain('evil octets');
    await tunnel.expectNothingLeft();
  });
});
