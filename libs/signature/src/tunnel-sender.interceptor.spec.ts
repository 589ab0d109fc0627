import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';

import { KeyRing, RelayHeaderMalformedError, isResponseHeader } from '@relay/protocol';

import { request } from '../../../test/support/clients/client.js';
import {
  OWN_CLIENT_ID,
  startInterceptorApp,
  type InterceptorApp,
} from '../../../test/support/relays/interceptor-app.js';
import { openSocket } from '../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../test/support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { SenderSigner } from './sender-signer.js';
import {
  RelayHeaderMissingError,
  SenderInvalidError,
  SenderSelfError,
} from './signature.errors.js';
import { TunnelSenderInterceptor } from './tunnel-sender.interceptor.js';
import { verifiedRequestFor, type VerifiedTunnelRequest } from './verified-request.js';

const RELAY_HEADER = '1.E2uOwaOy1rJ0iSmtbBjUiw.7r3.305.mte.AQEBAQEBAQEBAQEBAQEBAQ';

/** What the handler saw when it was called, before it read the body. */
interface Seen {
  readonly verified: VerifiedTunnelRequest;
  readonly hasReadBody: boolean;
  readonly bufferedBytes: number;
}

const shared = sharedResources();
const seen = new Recorder<Seen>();
let app: InterceptorApp;
let keyRing: KeyRing;
let clientId: string;

beforeAll(async () => {
  keyRing = await KeyRing.derive('a-secret-that-both-relays-hold-1');
  clientId = signedBy('relay-a');
  app = shared(
    await startInterceptorApp(TunnelSenderInterceptor, keyRing, async (message, response) => {
      seen.add({
        verified: verifiedRequestFor(message, 'tunnel'),
        hasReadBody: message.readableDidRead,
        bufferedBytes: message.readableLength,
      });
      response.end(await text(message));
    }),
  );
});

/** The signature of a relay with this client id. */
function signedBy(name: string): string {
  return new SenderSigner(keyRing.current, name).sign(RELAY_HEADER, { purpose: 'tunnel' });
}

/** The head of a request whose body is still to be sent. */
function headOf(...headerLines: string[]): string {
  return [
    'POST /api/mte-tunnel HTTP/1.1',
    'host: b',
    'connection: close',
    'content-length: 5',
    ...headerLines,
    '\r\n',
  ].join('\r\n');
}

describe('a tunnel request with a valid signature', () => {
  it('reaches the handler before a byte of its body is sent, and the handler then reads the body', async () => {
    const handled = seen.items.length;
    const socket = forThisTest(openSocket(app.port));
    socket.write(headOf(`x-mte-client-id: ${clientId}`, `x-mte-relay: ${RELAY_HEADER}`));
    const requests = await seen.count(handled + 1);
    expect(requests.at(-1)).toMatchObject({ hasReadBody: false, bufferedBytes: 0 });

    socket.write('hello');
    expect((await socket.all()).toString()).toMatch(/\r\n\r\n.*hello/s);
  });

  it('reaches the handler with its verified sender and its decoded header', async () => {
    await request(app.url, {
      method: 'POST',
      headers: { 'x-mte-client-id': clientId, 'x-mte-relay': RELAY_HEADER },
    });
    expect(seen.items.at(-1)?.verified).toMatchObject({
      purpose: 'tunnel',
      sender: {
        clientIdHeader: clientId,
        identity: `${keyRing.current.kid}.relay-a`,
        secretKeys: keyRing.current,
      },
      header: {
        raw: RELAY_HEADER,
        sid: 'E2uOwaOy1rJ0iSmtbBjUiw',
        sequence: 7,
        replaces: 3,
        ageSeconds: 305,
        type: 'mte',
      },
    });
  });

  it('gets a relay header with a fresh salt for its response', async () => {
    const relayHeaders = new Set<string>();
    for (let count = 0; count < 3; count += 1) {
      await request(app.url, {
        method: 'POST',
        headers: { 'x-mte-client-id': clientId, 'x-mte-relay': RELAY_HEADER },
      });
      relayHeaders.add(seen.items.at(-1)?.verified.responseHeader ?? '');
    }
    expect(relayHeaders.size).toBe(3);
    expect([...relayHeaders].every(isResponseHeader)).toBe(true);
  });
});

describe('a tunnel request', () => {
  const forged = (): string => `${clientId.slice(0, -1)}${clientId.endsWith('A') ? 'E' : 'A'}`;

  it.each<[what: string, headerLines: () => string[], error: new (...args: never[]) => Error]>([
    ['without x-mte-client-id', () => [`x-mte-relay: ${RELAY_HEADER}`], RelayHeaderMissingError],
    ['without x-mte-relay', () => [`x-mte-client-id: ${clientId}`], RelayHeaderMissingError],
    [
      'with a malformed tunnel header',
      () => [`x-mte-client-id: ${clientId}`, 'x-mte-relay: 1'],
      RelayHeaderMalformedError,
    ],
    [
      'with two tunnel headers',
      () => [
        `x-mte-client-id: ${clientId}`,
        `x-mte-relay: ${RELAY_HEADER}`,
        `x-mte-relay: ${RELAY_HEADER}`,
      ],
      RelayHeaderMalformedError,
    ],
    [
      'with two client ids',
      () => [
        `x-mte-client-id: ${clientId}`,
        `X-MTE-Client-Id: ${clientId}`,
        `x-mte-relay: ${RELAY_HEADER}`,
      ],
      RelayHeaderMalformedError,
    ],
    [
      'with a wrong MAC',
      () => [`x-mte-client-id: ${forged()}`, `x-mte-relay: ${RELAY_HEADER}`],
      SenderInvalidError,
    ],
    [
      'of this relay itself',
      () => [`x-mte-client-id: ${signedBy(OWN_CLIENT_ID)}`, `x-mte-relay: ${RELAY_HEADER}`],
      SenderSelfError,
    ],
    [
      'with a forged signature of this relay itself',
      () => [
        `x-mte-client-id: ${signedBy(OWN_CLIENT_ID).slice(0, -5)}AAAAA`,
        `x-mte-relay: ${RELAY_HEADER}`,
      ],
      SenderInvalidError,
    ],
    [
      'with the MAC of another message',
      () => [
        `x-mte-client-id: ${clientId}`,
        `x-mte-relay: ${RELAY_HEADER.replace('.7r3.', '.7r2.')}`,
      ],
      SenderInvalidError,
    ],
  ])(
    '%s is refused before its body arrives, and never reaches the handler',
    async (_what, headerLines, error) => {
      const handled = seen.items.length;
      const refused = app.errors.items.length;
      const socket = forThisTest(openSocket(app.port));
      socket.write(headOf(...headerLines()));
      const errors = await app.errors.count(refused + 1);
      expect(errors.at(-1)).toBeInstanceOf(error);
      expect(seen.items).toHaveLength(handled);
    },
  );

  it('that is refused gets a response without x-mte-relay', async () => {
    const response = await request(app.url, {
      method: 'POST',
      headers: { 'x-mte-client-id': forged(), 'x-mte-relay': RELAY_HEADER },
    });
    expect(response.status).toBe(500);
    expect(response.headers['x-mte-relay']).toBeUndefined();
  });
});
