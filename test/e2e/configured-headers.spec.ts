import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fieldValues } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(
    await startTunnel({
      outbound: {
        HEADERS: '{"X-From":"outbound","x-outbound":"1"}',
        REQUEST_HEADERS: '{"x-request":"outbound"}',
        RESPONSE_HEADERS: '{"Server":"outbound","x-response-outbound":"3"}',
      },
      inbound: {
        HEADERS: '{"X-From":"inbound","x-inbound":"2"}',
        REQUEST_HEADERS: '{"x-request":"inbound"}',
        RESPONSE_HEADERS: '{"Server":"inbound","x-response-inbound":"4"}',
      },
    }),
  );
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

describe('HEADERS', () => {
  it('are added to the request; the last relay on its path takes precedence', async () => {
    await tunnel.send();

    const raw = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(fieldValues(raw, 'x-outbound')).toEqual(['1']);
    expect(fieldValues(raw, 'x-inbound')).toEqual(['2']);
    expect(fieldValues(raw, 'x-from')).toEqual(['inbound']);
  });

  it('are added to the response; the last relay on its path takes precedence', async () => {
    const response = await tunnel.send();

    expect(fieldValues(response.rawHeaders, 'x-inbound')).toEqual(['2']);
    expect(fieldValues(response.rawHeaders, 'x-outbound')).toEqual(['1']);
    expect(fieldValues(response.rawHeaders, 'x-from')).toEqual(['outbound']);
  });

  it('replace every field of the same name that the client or the upstream sent', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, ['x-from', 'upstream', 'X-From', 'again']).end();
    });

    const response = await tunnel.send({ headers: { 'X-FROM': ['client', 'twice'] } });

    const raw = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(fieldValues(raw, 'x-from')).toEqual(['inbound']);
    expect(fieldValues(response.rawHeaders, 'x-from')).toEqual(['outbound']);
  });
});

describe('REQUEST_HEADERS', () => {
  it('of the inbound relay are on the request, in place of those of the client', async () => {
    const response = await tunnel.send({ headers: { 'X-Request': ['client', 'twice'] } });

    const raw = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(fieldValues(raw, 'x-request')).toEqual(['inbound']);
    expect(fieldValues(response.rawHeaders, 'x-request')).toEqual([]);
  });

  it('of the outbound relay are on nothing that its clients send to a peer', async () => {
    const other = forThisTest(await startTunnel());
    const headers = { 'x-mte-upstream': other.inbound.url };

    await tunnel.send({ headers: { ...headers, 'x-request': 'client' } });
    await tunnel.send({ headers });

    const received = other.upstream.requests.items.map(({ rawHeaders }) =>
      fieldValues(rawHeaders, 'x-request'),
    );
    expect(received).toEqual([['client'], []]);
  });
});

describe('RESPONSE_HEADERS', () => {
  it('of both relays are on the response; the last relay on its path takes precedence', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, ['server', 'upstream', 'Server', 'again']).end();
    });

    const { rawHeaders } = await tunnel.send();

    expect(fieldValues(rawHeaders, 'server')).toEqual(['outbound']);
    expect(fieldValues(rawHeaders, 'x-response-inbound')).toEqual(['4']);
    expect(fieldValues(rawHeaders, 'x-response-outbound')).toEqual(['3']);
  });

  it('are on no request', async () => {
    await tunnel.send();

    const names = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(names.join('\n')).not.toMatch(/server|x-response/i);
  });
});

describe('DEBUG', () => {
  it('true adds to a response the x-request-id that is logged', async () => {
    const debugging = forThisTest(await startTunnel({ outbound: { DEBUG: 'true' } }));

    const response = await debugging.send({ headers: { 'x-request-id': 'order-4711' } });

    expect(fieldValues(response.rawHeaders, 'x-request-id')).toEqual(['order-4711']);
    const line = await debugging.outbound.log.find(
      ({ requestId, status }) => requestId === 'order-4711' && status !== undefined,
    );
    expect(line).toMatchObject({ role: 'outbound', status: 200 });
  });

  it('false adds no x-request-id', async () => {
    const response = await tunnel.send();

    expect(fieldValues(response.rawHeaders, 'x-request-id')).toEqual([]);
  });
});
