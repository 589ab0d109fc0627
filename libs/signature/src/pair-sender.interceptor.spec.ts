import { beforeAll, describe, expect, it } from 'vitest';

import {
  KeyRing,
  MAX_PAIR_REQUEST_BYTES,
  PairMessageMalformedError,
  RelayHeaderMalformedError,
} from '@relay/protocol';

import { request } from '../../../test/support/clients/client.js';
import {
  OWN_CLIENT_ID,
  startInterceptorApp,
  type InterceptorApp,
} from '../../../test/support/relays/interceptor-app.js';
import { openSocket, type RawSocket } from '../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../test/support/lifecycle/recorder.js';
import { forThisTest, sharedResources } from '../../../test/support/lifecycle/resources.js';
import { readPairRequest } from './pair-request.js';
import { PairSenderInterceptor } from './pair-sender.interceptor.js';
import { SenderSigner } from './sender-signer.js';
import {
  RelayHeaderMissingError,
  SenderInvalidError,
  SenderSelfError,
} from './signature.errors.js';
import { checkedPairHeaders, type VerifiedPairRequest } from './verified-request.js';

const BODY = Buffer.from('a pairing request');

const shared = sharedResources();
const seen = new Recorder<VerifiedPairRequest>();
let app: InterceptorApp;
let keyRing: KeyRing;
let signer: SenderSigner;

beforeAll(async () => {
  keyRing = await KeyRing.derive('a-secret-that-both-relays-hold-1');
  signer = new SenderSigner(keyRing.current, 'relay-a');
  app = shared(
    await startInterceptorApp(PairSenderInterceptor, keyRing, async (message, response) => {
      seen.add(await readPairRequest(message, checkedPairHeaders(message), keyRing));
      response.end('paired');
    }),
  );
});

const signed = (body: Buffer): string => signer.sign('1', { purpose: 'pair', body });

/** Everything of a request but its body. */
function headOf(clientId: string, framing: string, relayHeader = '1'): string {
  const lines = [`x-mte-client-id: ${clientId}`, `x-mte-relay: ${relayHeader}`, framing];
  return ['POST /api/mte-pair HTTP/1.1', 'host: b', ...lines, '\r\n'].join('\r\n');
}

/** Sends bytes on a connection that then stays open, and returns what the interceptor threw. */
async function errorAfter(bytes: string): Promise<unknown> {
  const errors = app.errors.items.length;
  const handled = seen.items.length;
  forThisTest(openSocket(app.port)).write(bytes);
  const thrown = await app.errors.count(errors + 1);
  expect(seen.items).toHaveLength(handled);
  return thrown.at(-1);
}

describe('a pairing request with a good signature', () => {
  it('reaches the handler with its body and its sender', async () => {
    const clientIdHeader = signed(BODY);
    const response = await request(app.url, {
      method: 'POST',
      headers: { 'x-mte-client-id': clientIdHeader, 'x-mte-relay': '1' },
      body: BODY,
    });
    expect(seen.items.at(-1)).toEqual({
      purpose: 'pair',
      sender: {
        clientIdHeader,
        identity: `${keyRing.current.kid}.relay-a`,
        secretKeys: keyRing.current,
      },
      body: BODY,
    });
    expect(response.body.toString()).toBe('paired');
  });

  it.each([0, 1, MAX_PAIR_REQUEST_BYTES])('may have a body of %i bytes', async (bytes) => {
    const body = Buffer.alloc(bytes, 7);
    const response = await request(app.url, {
      method: 'POST',
      headers: {
        'x-mte-client-id': signed(body),
        'x-mte-relay': '1',
        'content-length': bytes,
      },
      body,
    });
    expect(response.status).toBe(200);
    expect(seen.items.at(-1)?.body).toEqual(body);
  });

  it('is read in chunks of any size', async () => {
    const handled = seen.items.length;
    const socket = forThisTest(openSocket(app.port));
    socket.write(headOf(signed(BODY), `content-length: ${BODY.length}`));
    for (const byte of BODY) {
      socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    const requests = await seen.count(handled + 1);
    expect(requests.at(-1)?.body).toEqual(BODY);
  });
});

describe('a pairing request is refused before a byte of its body is read', () => {
  it('if it does not state its length', async () => {
    const error = await errorAfter(headOf(signed(BODY), 'transfer-encoding: chunked'));
    expect(error).toBeInstanceOf(PairMessageMalformedError);
  });

  it.each([MAX_PAIR_REQUEST_BYTES + 1, 2 ** 31, 2 ** 53])(
    'if it states %i bytes',
    async (bytes) => {
      const error = await errorAfter(headOf(signed(BODY), `content-length: ${bytes}`));
      expect(error).toBeInstanceOf(PairMessageMalformedError);
    },
  );

  it.each(['2', '01', '', '1, 1', '1.E2uOwaOy1rJ0iSmtbBjUiw.1.0.mke.AQEBAQEBAQEBAQEBAQEBAQ'])(
    'if its version is %j',
    async (relayHeader) => {
      const framing = `content-length: ${BODY.length}`;
      const error = await errorAfter(headOf(signed(BODY), framing, relayHeader));
      expect(error).toBeInstanceOf(RelayHeaderMalformedError);
    },
  );

  it('if it has two client id headers', async () => {
    const twice = `${signed(BODY)}\r\nx-mte-client-id: ${signed(BODY)}`;
    const error = await errorAfter(headOf(twice, `content-length: ${BODY.length}`));
    expect(error).toBeInstanceOf(RelayHeaderMalformedError);
  });

  it('if it names a secret that is not known here', async () => {
    const { current } = await KeyRing.derive('another-secret-of-somebody-else-1');
    const unknown = new SenderSigner(current, 'relay-a').sign('1', {
      purpose: 'pair',
      body: BODY,
    });
    const error = await errorAfter(headOf(unknown, `content-length: ${BODY.length}`));
    expect(error).toBeInstanceOf(SenderInvalidError);
  });

  it('if its sender is this relay itself', async () => {
    const own = new SenderSigner(keyRing.current, OWN_CLIENT_ID);
    const reflected = own.sign('1', { purpose: 'pair', body: BODY });
    const error = await errorAfter(headOf(reflected, `content-length: ${BODY.length}`));
    expect(error).toBeInstanceOf(SenderSelfError);
  });

  it('if a relay header is missing', async () => {
    const head = headOf(signed(BODY), `content-length: ${BODY.length}`);
    for (const line of [/x-mte-client-id: .*\r\n/, /x-mte-relay: .*\r\n/]) {
      expect(await errorAfter(head.replace(line, ''))).toBeInstanceOf(RelayHeaderMissingError);
    }
  });
});

describe('a pairing request is refused after its body', () => {
  const whole = (clientId: string, body: Buffer): string =>
    headOf(clientId, `content-length: ${body.length}`) + body.toString('latin1');

  it('if a byte of it is not the one that was signed', async () => {
    for (const at of [0, 8, BODY.length - 1]) {
      const forged = Buffer.from(BODY);
      forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
      expect(await errorAfter(whole(signed(BODY), forged))).toBeInstanceOf(SenderInvalidError);
    }
  });

  it('if it was signed as a tunnel request', async () => {
    const clientId = signer.sign('1', { purpose: 'tunnel' });
    expect(await errorAfter(whole(clientId, BODY))).toBeInstanceOf(SenderInvalidError);
  });
});

describe('a sender that does not finish its body', () => {
  const partOf = (body: Buffer): string =>
    headOf(signed(body), `content-length: ${body.length}`) + body.toString('latin1', 0, 5);

  it.each<[string, (socket: RawSocket) => void]>([
    ['and ends its side of the connection', ({ socket }) => socket.end()],
    ['and resets the connection', ({ socket }) => socket.resetAndDestroy()],
  ])('%s is refused', async (_how, leave) => {
    const errors = app.errors.items.length;
    const handled = seen.items.length;
    const socket = forThisTest(openSocket(app.port));
    socket.socket.write(partOf(BODY), 'latin1', () => {
      leave(socket);
    });
    const thrown = await app.errors.count(errors + 1);
    expect(thrown.at(-1)).toBeInstanceOf(PairMessageMalformedError);
    expect(seen.items).toHaveLength(handled);
  });
});
