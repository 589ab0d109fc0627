import { RELAY_HEADER } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startAttackedTunnel, type AttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf, request } from '../support/clients/client.js';
import {
  headerOf,
  withHeader,
  type Interception,
  type WireRequest,
} from '../support/attackers/man-in-the-middle.js';
import { TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { startRawServer } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startUpstream } from '../support/upstreams/upstream.js';

const CANARY = 'canary-of-the-client';
const CANARY_REQUEST = {
  method: 'POST',
  path: `/${CANARY}-path`,
  headers: { 'x-custom': `${CANARY}-field`, authorization: `${CANARY}-authorization` },
  body: `${CANARY}-body`,
};

const shared = sharedResources();

describe('#13 a peer that is not a relay', () => {
  let outbound: TestRelay;

  beforeAll(async () => {
    outbound = shared(await startRelay());
  });

  it.each([
    ['200', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'],
    ['200 with a version', 'HTTP/1.1 200 OK\r\nx-mte-relay: 1\r\ncontent-length: 2\r\n\r\nok'],
    ['200 with version 2', 'HTTP/1.1 200 OK\r\nx-mte-relay: 2\r\ncontent-length: 0\r\n\r\n'],
    ['204', 'HTTP/1.1 204 No Content\r\nx-mte-relay: 1\r\n\r\n'],
    ['301', 'HTTP/1.1 301 Moved\r\nlocation: http://LOCATION/\r\ncontent-length: 0\r\n\r\n'],
    ['307', 'HTTP/1.1 307 Moved\r\nlocation: http://LOCATION/\r\ncontent-length: 0\r\n\r\n'],
    ['404', 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'],
    ['426', 'HTTP/1.1 426 Upgrade Required\r\nx-mte-relay: 0\r\ncontent-length: 0\r\n\r\n'],
    ['559', 'HTTP/1.1 559 x\r\ncontent-length: 0\r\n\r\n'],
    ['566', 'HTTP/1.1 566 x\r\nx-mte-relay: 1\r\ncontent-length: 0\r\n\r\n'],
    ['500', 'HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n'],
  ])('learns nothing about the client if it answers %s', async (_what, text) => {
    const elsewhere = forThisTest(await startUpstream());
    const location = new URL(elsewhere.url).host;
    // Open until the end of the file: on a port that is used again, the relay would still back off from the fake before.
    const fake = shared(
      await startRawServer((connection) => {
        void connection.until('\r\n\r\n').then(() => {
          connection.write(text.replace('LOCATION', location));
        });
      }),
    );
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': fake.url };

    const response = await request(outbound.url, {
      ...CANARY_REQUEST,
      headers: { ...CANARY_REQUEST.headers, ...headers },
    });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    const sentToFake = Buffer.concat(fake.connections.items.map(({ received }) => received));
    expect(sentToFake.toString('latin1')).toContain('POST /api/mte-pair');
    expect(sentToFake.toString('latin1')).not.toContain(CANARY);
    expect(sentToFake.includes(TOKEN)).toBe(false);
    expect(elsewhere.hits).toBe(0);
  });
});

/** What the attacker changes, and what the client may conclude: a failed check shows that its request was never sent. */
const TARGETS = [
  { what: 'a message', forwarded: 'maybe', messages: 1 },
  { what: 'the check of a session', forwarded: 'no', messages: 0 },
] as const;

describe.each(TARGETS)('#13 an attacker who changes $what', ({ what, forwarded, messages }) => {
  let tunnel: AttackedTunnel;
  let messagesBefore: number;

  beforeAll(async () => {
    tunnel = shared(await startAttackedTunnel());
    expect(await tunnel.send(CANARY_REQUEST)).toMatchObject({ status: 200 });
  });

  beforeEach(() => {
    tunnel.upstream.forget();
    // After this time without a response, the next POST is preceded by a check.
    tunnel.advance(5_000);
    messagesBefore = tunnel.attacker.tunnelRequests().length;
  });

  const intercept = (interception: Interception): void => {
    if (what === 'a message') {
      tunnel.attacker.interceptTunnel(interception);
    } else {
      tunnel.attacker.interceptChecks(interception);
    }
  };

  const expectNoExecution = (): void => {
    expect(tunnel.attacker.tunnelRequests().length - messagesBefore).toBe(messages);
    expect(tunnel.upstream.hits).toBe(0);
  };

  it.each([
    ['removes the sender header', 'x-mte-client-id', () => undefined, 569],
    ['empties the sender header', 'x-mte-client-id', () => '', 566],
    ['doubles the sender header', 'x-mte-client-id', (value: string) => `${value}, ${value}`, 566],
    ['changes the version to 2', RELAY_HEADER, (value: string) => value.replace('1.', '2.'), 566],
    ['removes the version', RELAY_HEADER, (value: string) => value.replace('1.', ''), 566],
    ['doubles the relay header', RELAY_HEADER, (value: string) => `${value}, ${value}`, 566],
  ])('causes a 502 and no execution if it %s', async (_what, name, change, status) => {
    const seen: [number, string][] = [];
    intercept(async (wire, deliver) => {
      const response = await deliver(withHeader(wire, name, change(headerOf(wire, name))));
      seen.push([response.status, headerOf(response, RELAY_HEADER)]);
      return response;
    });

    const response = await tunnel.send(CANARY_REQUEST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded });
    // Unsigned: a sender without a valid signature gets no signed response.
    expect(seen).toEqual([[status, '']]);
    expectNoExecution();
  });

  it('causes a 401 at the inbound relay and no execution if it removes the relay header', async () => {
    const statuses: number[] = [];
    intercept(async (wire, deliver) => {
      const response = await deliver(withHeader(wire, RELAY_HEADER, undefined));
      statuses.push(response.status);
      return response;
    });

    const response = await tunnel.send(CANARY_REQUEST);

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded });
    expect(statuses).toEqual([401]);
    expectNoExecution();
  });

  it.each([200, 201, 204, 301, 307, 401, 404, 426, 500])(
    'causes a 502 and no retry if it answers %i in place of the relay',
    async (status) => {
      const elsewhere = forThisTest(await startUpstream());
      const sent: WireRequest[] = [];
      intercept((wire) => {
        sent.push(wire);
        return { status, rawHeaders: ['location', elsewhere.url], body: Buffer.alloc(0) };
      });

      const response = await tunnel.send(CANARY_REQUEST);

      expect(response.status).toBe(502);
      expect(errorOf(response)).toMatchObject({
        code: 'RELAY_PEER_ANSWER_INVALID',
        forwarded,
      });
      expect(sent).toHaveLength(1);
      expect(JSON.stringify(sent[0]?.rawHeaders) + sent[0]!.body.toString('latin1')).not.toContain(
        CANARY,
      );
      expect(elsewhere.hits).toBe(0);
      expectNoExecution();
    },
  );
});
