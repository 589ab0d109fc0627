import { SessionService } from '@relay/session';
import { describe, expect, it, vi } from 'vitest';

import { ShutdownState } from '../../../apps/relay/src/lifecycle/shutdown-state.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { headBytes, type Field } from '../../support/network/raw-http.js';
import type { RawSocket } from '../../support/network/raw-socket.js';
import {
  ORDINARY,
  UPGRADE,
  startOctetTunnel,
  type OctetTunnel,
  type OctetTunnelOptions,
} from '../../support/tunnels/octet-tunnel.js';

const start = async (options: OctetTunnelOptions = {}): Promise<OctetTunnel> =>
  forThisTest(await startOctetTunnel(options));

const LIMIT = { MAX_UPGRADED_CONNECTIONS: '1' };

/** The status, code and verdict of a response, and its text. */
async function responseOf(client: RawSocket): Promise<string> {
  const received = (await client.all()).toString('latin1');
  const [, status = ''] = /^HTTP\/1\.1 (\d{3}) /.exec(received) ?? [];
  const [, code = '', message = '', forwarded = ''] =
    /"code":"(\w+)","message":"(.*?)".*"forwarded":"(\w+)"/.exec(received) ?? [];
  return `${status} ${code} ${forwarded}: ${message}`;
}

describe.each<readonly [string, OctetTunnelOptions, RegExp]>([
  ['the outbound relay', { outbound: LIMIT }, /^503 RELAY_BUSY no: /],
  ['the inbound relay', { inbound: LIMIT }, /^503 RELAY_BUSY no: /],
])('as many upgraded connections as MAX_UPGRADED_CONNECTIONS of %s', (_where, options, refused) => {
  it('leave no place for another, which is not forwarded and may try again', async () => {
    const tunnel = await start(options);
    const { client } = await tunnel.open();
    const asked = tunnel.asked.items.length;

    const further = tunnel.ask();
    expect(await responseOf(further)).toMatch(refused);
    expect(further.received.toString()).toMatch(/\r\nretry-after: \d+\r\n/i);
    expect(tunnel.asked.items).toHaveLength(asked);
    client.socket.destroy();
    await tunnel.expectNothingLeft();
  });

  it('leave all places of requests and channels, and delay nothing', async () => {
    const tunnel = await start(options);
    await tunnel.open();
    await responseOf(tunnel.ask());
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });

    for (const path of ['/1', '/2']) {
      const client = tunnel.ask(tunnel.head(`GET ${path} HTTP/1.1`));
      await client.until('ordinary');
    }
    const opened = await tunnel.outbound.log.find(({ msg }) => msg === 'channel opened');
    expect(opened).toMatchObject({ role: 'outbound' });
  });

  it('give their places back however they end', async () => {
    const tunnel = await start(options);
    const endings: readonly ((ends: Awaited<ReturnType<OctetTunnel['open']>>) => void)[] = [
      ({ client }) => client.socket.end(),
      ({ client }) => client.socket.destroy(),
      ({ client }) => client.socket.resetAndDestroy(),
      ({ api }) => api.socket.end(),
      ({ api }) => api.socket.resetAndDestroy(),
      () => {
        tunnel.path.openings.items.at(-1)?.channel.connection.cut();
      },
      () => {
        tunnel.path.openings.items.at(-1)?.channel.connection.near.end();
      },
    ];
    for (const end of endings) {
      const ends = await tunnel.open();
      end(ends);
      await tunnel.expectNothingLeft();
    }
  });

  it('give their places back if they are not granted', async () => {
    const tunnel = await start(options);
    const answers = [
      'HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n',
      'no HTTP\r\n\r\n',
    ];
    for (const answer of answers) {
      tunnel.answer(({ connection }) => {
        connection.write(answer);
      });
      await tunnel.ask().all();
      await tunnel.expectNothingLeft();
    }
    tunnel.path.attackOpenings(() => Buffer.from('GET / HTTP/1.1\r\nhost: b\r\n\r\n'));
    await tunnel.ask().all();
    await tunnel.expectNothingLeft();
    tunnel.path.attackOpenings(undefined);
    await tunnel.open();
  });
});

describe('MAX_UPGRADED_CONNECTIONS of 0', () => {
  it('refuses every upgrade, and nothing else', async () => {
    const tunnel = await start({ outbound: { MAX_UPGRADED_CONNECTIONS: '0' } });
    expect(await responseOf(tunnel.ask())).toMatch(/^503 RELAY_BUSY no: /);
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });
    await tunnel.ask(tunnel.head('GET / HTTP/1.1')).until('ordinary');
  });
});

describe('channels beyond MAX_CHANNELS_PER_PEER', () => {
  it('are not those of upgraded connections', async () => {
    const tunnel = await start({ both: { MAX_CHANNELS_PER_PEER: '1', CHANNELS_PER_PEER: '1' } });
    for (let count = 0; count < 3; count += 1) {
      await tunnel.open();
    }
    tunnel.answer(({ connection }) => {
      connection.write(ORDINARY);
    });
    await tunnel.ask(tunnel.head('GET / HTTP/1.1')).until('ordinary');
    await tunnel.inbound.log.find(({ msg }) => msg === 'channel opened');
    await tunnel.open();
  });
});

describe('an upgrade that cannot be carried', () => {
  it.each<readonly [string, OctetTunnelOptions, RegExp]>([
    [
      'TUNNEL_TRANSPORT of the outbound relay is message',
      { outbound: { TUNNEL_TRANSPORT: 'message' } },
      /^501 RELAY_UPGRADE_UNSUPPORTED no: TUNNEL_TRANSPORT is message/,
    ],
    [
      'TUNNEL_TRANSPORT of the inbound relay is message',
      { inbound: { TUNNEL_TRANSPORT: 'message' } },
      /^503 RELAY_BUSY no: /,
    ],
    [
      'the inbound relay does not list its protocol',
      { inbound: { UPGRADE_PROTOCOLS: 'tcp' } },
      /^501 RELAY_UPGRADE_UNSUPPORTED no: UPGRADE_PROTOCOLS of the inbound relay/,
    ],
  ])('because %s', async (_why, options, expected) => {
    const tunnel = await start(options);
    expect(await responseOf(tunnel.ask())).toMatch(expected);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });

  it('because something on the path removes the upgrade of its channel', async () => {
    const tunnel = await start();
    tunnel.path.attackOpenings((head) =>
      Buffer.from(
        head.toString('latin1').replace(/^(?:upgrade|connection): .*\r\n/gim, ''),
        'latin1',
      ),
    );
    expect(await responseOf(tunnel.ask())).toMatch(
      /^501 RELAY_UPGRADE_UNSUPPORTED no: .*something between the relays .* \/api\/mte-channel/,
    );
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
    // No delay: the next client asks at once, and is served.
    tunnel.path.attackOpenings(undefined);
    await tunnel.open();
  });

  it('because the other relay cannot be reached', async () => {
    const tunnel = await start();
    await tunnel.open();
    await tunnel.path.close();
    expect(await responseOf(tunnel.ask())).toMatch(/^502 RELAY_PEER_UNREACHABLE no: /);
  });

  it('because its client asks for MTE, or a plaintext copy', async () => {
    const tunnel = await start();
    const option: Field = ['X-MTE-Encode-Type', 'MTE'];
    const client = tunnel.ask(tunnel.head('GET /ws HTTP/1.1', ...UPGRADE, option));
    expect(await responseOf(client)).toMatch(/^400 RELAY_OPTION_INVALID no: /);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });

  it('because its token is wrong', async () => {
    const tunnel = await start();
    const fields = tunnel.fields.map(([name, value]): Field => [
      name,
      name === 'X-MTE-Outbound-Token' ? 'wrong' : value,
    ]);
    const client = tunnel.ask(headBytes('GET /ws HTTP/1.1', [...fields, ...UPGRADE]));
    expect(await responseOf(client)).toMatch(/^401 RELAY_TOKEN_INVALID no: /);
    expect(tunnel.path.openings.items).toEqual([]);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });
});

describe('a relay that begins to stop while the channel of an upgrade is being opened', () => {
  it('does not ask its API, and says so', async () => {
    const tunnel = await start({ both: { RESPONSE_TIMEOUT_MS: '5000' } });
    const { app } = tunnel.inbound;
    const sessions = app.get(SessionService);
    const mark = sessions.mark.bind(sessions);
    vi.spyOn(sessions, 'mark').mockImplementation((session, header) => {
      app.get(ShutdownState).begin();
      return mark(session, header);
    });
    expect(await responseOf(tunnel.ask())).toMatch(/^50[23] \w+ no: /);
    expect(tunnel.asked.items).toEqual([]);
    await tunnel.expectNothingLeft();
  });
});
