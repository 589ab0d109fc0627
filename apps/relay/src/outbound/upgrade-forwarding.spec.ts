import { setImmediate as nextTurn } from 'node:timers/promises';

import { UpgradeUnsupportedError } from '@relay/http';
import { describe, expect, it, vi } from 'vitest';

import type { ClientUpgrade } from '../client/client-upgrade.js';
import type { PeerChannel } from '../peers/peer-channel.js';
import type { OpeningFailure } from '../peers/channel-opener.js';
import type { Peer } from '../peers/peer.js';
import { UpgradeForwarding, type UpgradeContext } from './upgrade-forwarding.js';

type Opened = Pick<PeerChannel, 'hasPlace' | 'finish'> | OpeningFailure;

const cause = new Error('the cause');
const unreached = { kind: 'unreached', cause } as const;
const noChannels = { kind: 'no-channels', cause } as const;
const overloaded = {
  kind: 'signed-error',
  signedError: { status: 564, isNeverForwarded: true, unixMs: 0 },
  cause,
} as const;

/** A request for an upgrade to a peer at whose origins the opening of a channel ends like this. */
function upgradeTo(openings: readonly Opened[], onAsked: () => void = () => undefined) {
  const origins = openings.map((_, at) => ({ origin: `http://b${at + 1}.example` }) as Peer);
  const asked: string[] = [];
  const choice = { noteFailure: vi.fn(), noteServed: vi.fn() };
  const context = {
    origins,
    choice,
    record: {},
    config: {},
    log: { debug: vi.fn() },
    channels: {
      open: async ({ origin }: Peer) => {
        asked.push(origin);
        onAsked();
        await nextTurn();
        return openings[asked.length - 1];
      },
    },
  } as unknown as UpgradeContext;
  const client = {
    readBody: () => Promise.resolve(Buffer.alloc(0)),
  } as unknown as ClientUpgrade;
  return { asked, choice, forwarding: new UpgradeForwarding(context, client) };
}

describe('a channel for an upgraded connection', () => {
  it('is ended if it takes no stream by the time it is open', async () => {
    const finish = vi.fn();
    const { forwarding } = upgradeTo([{ hasPlace: false, finish }]);
    await expect(forwarding.run()).rejects.toMatchObject({
      code: 'RELAY_PEER_CONNECTION_LOST',
      forwarded: 'no',
    });
    expect(finish).toHaveBeenCalledOnce();
  });

  it('is asked of one origin of the peer after the other, each once', async () => {
    const { forwarding, asked, choice } = upgradeTo([unreached, overloaded, noChannels]);
    await expect(forwarding.run()).rejects.toMatchObject({
      code: 'RELAY_PEER_UNAVAILABLE',
      forwarded: 'no',
      retryAfter: 1,
    });
    expect(asked).toEqual(['http://b1.example', 'http://b2.example', 'http://b3.example']);
    // That a path carries no channels does not matter to other requests.
    expect(choice.noteFailure).toHaveBeenCalledTimes(2);
  });

  it('is not asked of another origin once the client has gone', async () => {
    const gone = new Error('the client has gone');
    const { forwarding, asked } = upgradeTo([unreached, unreached], () => {
      forwarding.abort(gone);
    });
    await expect(forwarding.run()).rejects.toBe(gone);
    expect(asked).toHaveLength(1);
  });

  it('fails as with one origin if none of them carries channels', async () => {
    const { forwarding } = upgradeTo([noChannels, noChannels]);
    await expect(forwarding.run()).rejects.toBeInstanceOf(UpgradeUnsupportedError);
  });
});
