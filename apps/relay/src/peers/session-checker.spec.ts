import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { SALT_BYTES } from '@relay/protocol';
import { Agent } from 'undici';
import { expect, it } from 'vitest';

import { addressOf } from '../../../../test/support/relays/directory.js';
import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { listen } from '../../../../test/support/network/listen.js';
import type { PeerClient } from './peer-client.js';
import { PeerSession } from './peer-session.js';
import { SessionChecker } from './session-checker.js';

const RECORD_BYTES = 69_653;
/** The length field of one last record that fills the whole body. */
const RECORD_LENGTH = Buffer.from([0x80, 0x01, 0x10, 0x11]);

it('gives up a check after 10 s in all, although its response keeps arriving byte by byte', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, {
      'x-mte-relay': `1.${randomBytes(SALT_BYTES).toString('base64url')}`,
      'content-length': RECORD_BYTES,
    });
    response.write(RECORD_LENGTH);
    const dripping = setInterval(() => response.write('x'), 500);
    response.on('close', () => {
      clearInterval(dripping);
    });
  });
  const { url } = forThisTest(await listen(server));
  const agent = new Agent();
  const connections = { kept: agent, fresh: agent };
  const client = { connectionsTo: () => connections } as unknown as PeerClient;
  const paired = {
    sid: randomBytes(SALT_BYTES).toString('base64url'),
    keys: { clientToServer: randomBytes(32), serverToClient: randomBytes(32) },
    lifetimeSeconds: 3_600,
    maxMessages: 100,
  };
  const session = new PeerSession(paired, 0);
  const reservation = { session, sequence: 1, ageSeconds: 0, reservedAtMs: 0 };

  const result = await new SessionChecker(client).check(addressOf(url), reservation, 'kept');
  await agent.destroy();

  expect(result).toMatchObject({
    kind: 'failed',
    failure: { code: 'RELAY_PEER_TIMEOUT', forwarded: 'no' },
  });
});
