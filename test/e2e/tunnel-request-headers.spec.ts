import { CLIENT_ID_HEADER, KeyRing, RELAY_HEADER } from '@relay/protocol';
import { verifySender } from '@relay/signature';
import { expect, it } from 'vitest';

import { headerOf } from '../support/attackers/man-in-the-middle.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { SECRET } from '../support/relays/relay.js';
import { startAttackedTunnel } from '../support/tunnels/attacked-tunnel.js';

it('a tunnel request has one signature, over its own relay header, whatever the plaintext copies say', async () => {
  const tunnel = forThisTest(await startAttackedTunnel());

  await tunnel.send({
    headers: {
      'x-mte-encode-headers': 'false',
      [RELAY_HEADER]: '1.forged',
      [CLIENT_ID_HEADER]: 'forged',
      'x-name': RELAY_HEADER,
      'x-value': CLIENT_ID_HEADER,
    },
  });

  const [message, ...others] = tunnel.attacker.tunnelRequests();
  expect(others).toEqual([]);
  // In this order, which anyone on the path sees: it should change only on purpose.
  expect(message!.rawHeaders.filter((_, at) => at % 2 === 0)).toEqual([
    'host',
    RELAY_HEADER,
    'content-type',
    'cache-control',
    'accept-encoding',
    'x-name',
    'x-value',
    CLIENT_ID_HEADER,
  ]);
  const [clientId, relayHeader] = [CLIENT_ID_HEADER, RELAY_HEADER].map((name) =>
    headerOf(message!, name),
  );
  const keyRing = await KeyRing.derive(SECRET);
  expect(verifySender(keyRing, clientId!, relayHeader!, { purpose: 'tunnel' })).toMatchObject({
    clientIdHeader: clientId,
  });
});
