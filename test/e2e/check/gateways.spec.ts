import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';

import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { listen, type Listening } from '../../support/network/listen.js';
import { checkOf } from '../../support/relays/check.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { newSecret } from '../../support/tunnels/directory-tunnel.js';

const shared = sharedResources();
let relayB: TestRelay;

beforeAll(async () => {
  relayB = shared(await startRelay({ TUNNEL_TRANSPORT: 'auto' }));
});

type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** A gateway in front of relay B that treats one path in its own way, and passes everything else on. */
async function startGateway(path: string, handler: Handler): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    (incoming.url === path ? handler : passOn)(incoming, outgoing);
  });
  return forThisTest(await listen(server));
}

const passOn: Handler = (incoming, outgoing) => {
  passWith(incoming, outgoing, (body) => body);
};

function passWith(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  change: (body: Buffer) => Buffer,
): void {
  const { method, url: path, headers } = incoming;
  const { port } = relayB;
  const onward = httpRequest({ port, method, path, headers, agent: false }, (response) => {
    buffer(response).then(
      (body) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers).end(change(body));
      },
      () => outgoing.destroy(),
    );
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

const respond =
  (status: number): Handler =>
  (incoming, outgoing) => {
    incoming.resume();
    outgoing.writeHead(status, { server: 'gate' }).end();
  };
/** Passes a response on although the request has not ended. */
const passOnAtOnce =
  (port: number): Handler =>
  (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = httpRequest({ port, method, path, headers, agent: false }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    onward.flushHeaders();
    incoming.pipe(onward);
  };
const silence: Handler = (incoming) => {
  incoming.resume();
};
/** Changes the last octet of what relay B says. */
const change: Handler = (incoming, outgoing) => {
  passWith(incoming, outgoing, (body) => {
    const changed = Buffer.from(body);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    return changed;
  });
};
const strip: Handler = (incoming, outgoing) => {
  delete incoming.headers['x-mte-client-id'];
  passOn(incoming, outgoing);
};

it('a gateway that limits requests hides whether the secret or the audience is refused', async () => {
  const stranger = forThisTest(
    await startRelay({ CLIENT_ID_SECRET: newSecret(), TUNNEL_TRANSPORT: 'auto' }),
  );
  let asked = 0;
  const limiting: Handler = (incoming, outgoing) => {
    asked += 1;
    // The pairing itself, and the first of the heads without a body.
    const passes = asked <= 2;
    (passes ? passOnAtOnce(stranger.port) : respond(429))(incoming, outgoing);
  };
  const gateway = await startGateway('/api/mte-pair', limiting);

  const { failed, step } = await checkOf(gateway.url);

  expect(asked).toBe(4);
  expect(failed).toEqual(['secret']);
  expect(step('secret')).toMatchObject({ code: 'CHECK_SECRET_OR_AUDIENCE' });
});

describe.each<[string, Handler, string, string]>([
  ['refuses pairings itself', respond(403), 'pairing', 'CHECK_PAIRING_BLOCKED'],
  ['takes fields away from pairings', strip, 'pairing', 'CHECK_PAIRING_BLOCKED'],
  ['changes the response to pairings', change, 'pairing', 'CHECK_PAIRING_CHANGED'],
  ['does not respond to pairings', silence, 'pairing', 'CHECK_PAIRING_TIMEOUT'],
  [
    'loses the connections of pairings',
    (_in, out) => out.destroy(),
    'pairing',
    'CHECK_PAIRING_FAILED',
  ],
  ['refuses messages itself', respond(413), 'message', 'CHECK_MESSAGE_BLOCKED'],
  ['takes fields away from messages', strip, 'message', 'CHECK_MESSAGE_BLOCKED'],
  ['changes the response to messages', change, 'message', 'CHECK_MESSAGE_FAILED'],
  ['does not respond to messages', silence, 'message', 'CHECK_MESSAGE_TIMEOUT'],
])('a gateway that %s', (_what, handler, step, code) => {
  it(`is named at the step ${step}`, async () => {
    const path = step === 'pairing' ? '/api/mte-pair' : '/api/mte-tunnel';
    const gateway = await startGateway(path, handler);

    const found = await checkOf(
      gateway.url,
      { TUNNEL_TRANSPORT: 'message' },
      { relayLimitMs: 2_000 },
    );

    expect(found.failed).toEqual([step]);
    expect(found.report.steps.find(({ ok }) => ok === false)).toMatchObject({ code });
  });
});
