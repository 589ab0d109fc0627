import { beforeAll, describe, expect, it } from 'vitest';

import { TOKEN } from '../support/relay.js';
import { forThisTest, sharedResources } from '../support/resources.js';
import { startTap, type Tap } from '../support/tap.js';
import { startTunnel, type Tunnel } from '../support/tunnel.js';

/** What must not be seen: one mark in each place of a request and of an answer. */
const CANARIES = {
  path: 'canary-path',
  query: 'canary-query',
  field: 'canary-field-value',
  cookie: 'canary-cookie',
  authorization: 'canary-authorization',
  body: 'canary-body',
  answerField: 'canary-answer-field',
  answerBody: 'canary-answer-body',
};
/** Long, as the canaries are: what is short occurs among random bytes. */
const METHOD = 'PROPFIND';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  tunnel.upstream.handle(async (request, response) => {
    await request.body();
    response.writeHead(207, { 'x-answer': CANARIES.answerField }).end(CANARIES.answerBody);
  });
});

const sendCanaries = async (tap: Tap, headers: Record<string, string> = {}): Promise<void> => {
  const answer = await tunnel.send({
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
  expect(answer.status).toBe(207);
  expect(answer.body.toString()).toBe(CANARIES.answerBody);
};

const seen = (tap: Tap): string[] => {
  const wire = tap.wire();
  return Object.values(CANARIES).filter((canary) => wire.includes(canary));
};

describe('the wire between the relays', () => {
  it.each(['MKE', 'MTE'])(
    'shows neither path, method, status, header values nor body (%s)',
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

  it('shows neither the token nor the secret', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap);

    expect(tap.wire().includes(TOKEN)).toBe(false);
    expect(tap.wire().toString('latin1')).not.toMatch(/x-mte-(outbound-token|upstream|encode)/i);
  });

  it('shows no name of a field of the client or the upstream', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap);

    expect(tap.wire().toString('latin1')).not.toMatch(/x-custom|cookie|authorization|x-answer/i);
  });
});

describe('what a client asks to be shown', () => {
  it('x-mte-encode-url: false shows the path, and the upstream gets the sealed one', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-url': 'false' });

    expect(seen(tap)).toEqual([CANARIES.path, CANARIES.query]);
  });

  it('a list of names to encode shows the other fields, but never credentials', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-headers': 'x-other' });

    expect(seen(tap)).toEqual([CANARIES.field]);
  });

  it('x-mte-encode-headers: false shows all fields but credentials', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    await sendCanaries(tap, { 'x-mte-encode-headers': 'false' });

    expect(seen(tap)).toEqual([CANARIES.field]);
  });

  it('stays sealed as well: what happens to the copies on the way does not matter', async () => {
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

  it('x-mte-encode-url: false keeps paths of the relay itself sealed', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));

    const answer = await tunnel.send({
      path: '/api/mte-relay/of-the-upstream',
      headers: { 'x-mte-upstream': tap.url, 'x-mte-encode-url': 'false' },
    });

    expect(answer.status).toBe(207);
    expect(tap.wire().includes('of-the-upstream')).toBe(false);
  });
});
