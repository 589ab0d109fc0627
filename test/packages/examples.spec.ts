import { describe, expect, it } from 'vitest';

import { exampleNames, hasCompose } from '../support/examples/example-files.js';
import { ExampleMachine, type StartedExample } from '../support/examples/example-machine.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { hasEgressProxy } from '../support/network/egress-proxies.js';
import { hasIntermediary } from '../support/network/intermediaries.js';
import { hasProgram } from '../support/processes/apt-packages.js';
import type { RelayProcess } from '../support/processes/relay-process.js';
import { chainOf } from '../support/traces/traced.js';

const SIGNED_IN = '{"signedIn":true,"as":"ada"}\n';
/** The caller that the README of tracing names. */
const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

const FOLLOWED = [
  ...['receive', 'send', 'tls-caddy', 'tls-nginx', 'two-partners'],
  ...['websockets', 'egress-proxy', 'tracing'],
];

/** Follows the READMEs of examples on one machine, and returns the last. */
async function follow(...names: readonly [string, ...string[]]): Promise<StartedExample> {
  const machine = forThisTest(await ExampleMachine.create());
  let example: StartedExample | undefined;
  for (const name of names) {
    expect(FOLLOWED).toContain(name);
    example = await machine.start(name);
  }
  return example!;
}

function relayOf({ running }: StartedExample, name: string): RelayProcess {
  const relay = running.get(name)?.relay;
  if (relay === undefined) {
    throw new Error(`${name} is not a relay`);
  }
  return relay;
}

/** The request of an example has been carried, and those after it share a channel. */
async function expectChannel(example: StartedExample): Promise<void> {
  await relayOf(example, 'relay-b').log.find(({ msg }) => msg === 'channel opened');
}

const hasCurl = hasProgram(['curl'], 'curl', '--version');

describe.skipIf(!hasCurl)('the examples, followed as printed', () => {
  it('are all that are started with Docker Compose', () => {
    expect(exampleNames().filter(hasCompose).sort()).toEqual([...FOLLOWED].sort());
  });

  it('receive and send carry a request from one machine to the other', async () => {
    const { printed } = await follow('receive', 'send');
    expect(printed).toEqual([SIGNED_IN]);
  });

  it.skipIf(!hasIntermediary('Caddy'))(
    'tls-caddy ends TLS at Caddy, which passes channels on',
    async () => {
      const example = await follow('tls-caddy');
      expect(example.printed).toEqual([SIGNED_IN]);
      await expectChannel(example);
    },
  );

  it.skipIf(!hasIntermediary('nginx'))(
    'tls-nginx ends TLS at nginx, which passes channels on',
    async () => {
      const example = await follow('tls-nginx');
      expect(example.printed).toEqual([SIGNED_IN]);
      await expectChannel(example);
    },
  );

  it('two-partners carries requests of two applications to the partners that each may reach', async () => {
    const { printed } = await follow('two-partners');
    const [invoices = '', parcels = '', refused = ''] = printed[0]!.split('\n');
    expect(JSON.parse(invoices)).toMatchObject({ method: 'GET', path: '/invoices' });
    expect(JSON.parse(parcels)).toMatchObject({ method: 'GET', path: '/parcels' });
    expect(JSON.parse(refused)).toMatchObject({ error: { code: 'RELAY_UPSTREAM_REFUSED' } });
  });

  it('websockets carries a WebSocket, in which the API says what its README prints', async () => {
    const { printed } = await follow('websockets');
    expect(printed.at(-1)).toBe('you said: hello\nyou said: how are you?\nyou said: goodbye\n');
  });

  it.skipIf(!hasEgressProxy('tinyproxy'))(
    'egress-proxy reaches the peer by CONNECT, for messages and channels',
    async () => {
      const example = await follow('egress-proxy');
      const [response, log] = example.printed;
      expect(response).toBe(SIGNED_IN);
      const peer = `CONNECT 127.0.0.1:${relayOf(example, 'relay-b').port} `;
      expect(log).toContain(peer);
      await expectChannel(example);
    },
  );

  it('tracing exports one trace of both relays', async () => {
    const { printed, running } = await follow('tracing');
    expect(printed).toEqual([SIGNED_IN]);
    const spans = await chainOf(running.get('jaeger')!.collector!, CALLER, 4);
    expect(spans.map(({ resource }) => resource['service.name'])).toEqual([
      ...['relay-a', 'relay-a', 'relay-b', 'relay-b'],
    ]);
  });
});
