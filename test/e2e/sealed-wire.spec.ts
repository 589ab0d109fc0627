import { beforeAll, describe, expect, it } from 'vitest';

import { SECRET, TOKEN } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap, type Tap } from '../support/attackers/tap.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

/** What must not appear on the wire: one marker for each part of a request and of a response. */
const CANARIES = {
  path: 'canary-path',
  query: 'canary-query',
  field: 'canary-field-value',
  cookie: 'canary-cookie',
  authorization: 'canary-authorization',
  body: 'canary-body',
  responseField: 'canary-response-field',
  responseBody: 'canary-response-body',
};
/** As long as the canaries, since a short string could occur among random bytes. */
const METHOD = 'PROPFIND';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  tunnel.upstream.handle(async (request, response) => {
    await request.body();
    response.writeHead(207, { 'x-response': CANARIES.responseField }).end(CANARIES.responseBody);
  });
});

const sendCanaries = async (tap: Tap, headers: Record<string, string> = {}): Promise<void> => {
  const response = await tunnel.send({
    method: METHOD,
    path: `/${CANARIES.path}?q=${CANARIES.query}`,
    headers: {
      'x-mte-upstream': tap.url,
      'x-custom': CANARIES.field,
      cookie: CANARIES.cookie,
      authorization: CANARIES.authorization,
      ...headers,
    },
    body: CANARIES.body,
  });
  expect(response.status).toBe(207);
  expect(response.body.toString()).toBe(CANARIES.responseBody);
};

const seen = (tap: Tap): string[] => {
  const wire = tap.wire();
  return Object.values(CANARIES).filter((canary) => wire.includes(canary));
};

describe('the connection between the relays', () => {
  it.each(['MKE', 'MTE'])(
    'reveals no path, method, status, header value or body (%s)',
    async (type) => {
      const tap = forThisTest(await startTap(tunnel.inbound.port));

      await sendCanaries(tap, { 'x-mte-encode-type': type });

      expect(seen(tap)).toEqual([]);
      const wire = tap.wire().toString('latin1');
      expect(wire).toContain('POST /api/mte-tunnel HTTP/1.1\r\n');
      expect(wire).not.toContain(METHOD);
      expect(new Set(wire.match(/HTTP\/1\.1 \d+ [\w -]+/g))).toEqual(new Set(['HTTP/1.1 200 OK']));
    },
  );

  it('reveals no token, no secret and no tunnel option', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap);

    expect(tap.wire().includes(TOKEN)).toBe(false);
    expect(tap.wire().includes(SECRET)).toBe(false);
    expect(tap.wire().toString('latin1')).not.toMatch(/x-mte-(outbound-token|upstream|encode)/i);
  });

  it('reveals no field name of the client or the upstream', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap);

    expect(tap.wire().toString('latin1')).not.toMatch(/x-custom|cookie|authorization|x-response/i);
  });
});

describe('plaintext copies', () => {
  it('reveal only the path with x-mte-encode-url: false', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-url': 'false' });

    expect(seen(tap)).toEqual([CANARIES.path, CANARIES.query]);
  });

  it('reveal the fields that x-mte-encode-headers does not list, except credentials', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-headers': 'x-other' });

    expect(seen(tap)).toEqual([CANARIES.field]);
  });

  it('reveal all fields except credentials with x-mte-encode-headers: false', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-headers': 'false' });

    expect(seen(tap)).toEqual([CANARIES.field]);
  });

  it('do not affect what the upstream receives, even if they are changed in transit', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));
    tap.alter((chunk, from) =>
      from === 'near'
        ? Buffer.from(chunk.toString('latin1').replaceAll('canary-', 'forged-'), 'latin1')
        : chunk,
    );
    tunnel.upstream.forget();

    await sendCanaries(tap, { 'x-mte-encode-url': 'false', 'x-mte-encode-headers': 'false' });

    const [request] = tunnel.upstream.requests.items;
    expect(request?.url).toBe(`/${CANARIES.path}?q=${CANARIES.query}`);
    expect(request?.headers).toMatchObject({ 'x-custom': CANARIES.field });
  });

  it('never reveal the path of a relay endpoint, even with x-mte-encode-url: false', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    const response = await tunnel.send({
      path: '/api/mte-relay/of-the-upstream',
      headers: { 'x-mte-upstream': tap.url, 'x-mte-encode-url': 'false' },
    });

    expect(response.status).toBe(207);
    expect(tap.wire().includes('of-the-upstream')).toBe(false);
  });
});
