import { createServer } from 'node:http';

import { describe, expect, it, vi } from 'vitest';

import {
  startManInTheMiddle,
  type WireRequest,
  type WireResponse,
} from '../support/attackers/man-in-the-middle.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { openSocket } from '../support/network/raw-socket.js';
import { summaryOf } from '../support/protocol/tunnel-message.js';
import { TOKEN, type RelayEnvironment } from '../support/relays/relay.js';
import { ProofTunnel, type ClientOutcome } from '../support/tunnels/proof-tunnel.js';
import { UNSAFE_REQUESTS } from '../support/tunnels/second-delivery.js';

const OK = { status: 200 };
const MAYBE = { status: 502, forwarded: 'maybe' };
const ONCE = { A: 0, B: 1 };

/**
 * What relay B signs about a message of a session that a replayed pairing has made under the sid of a lost one: to it, the number
 * is new. Only relay A can tell that the session has not its own keys.
 */
const inGoodFaith = (status: number) => ({ status, isNeverForwarded: true });

/** How relay B comes to refuse the message that relay A sends next. */
interface Refusal {
  readonly status: number;
  /** What relay B is started with after it has lost its store. */
  readonly environment: RelayEnvironment;
  /** The requests to try it with. */
  readonly requests: typeof UNSAFE_REQUESTS;
  /** What the attacker does before the refusal. */
  readonly prepare?: (tunnel: ProofTunnel) => Promise<void>;
}

const A_POST = UNSAFE_REQUESTS.slice(0, 1);

const REFUSALS: readonly (readonly [how: string, refusal: Refusal])[] = [
  ['it cannot open the message', { status: 562, requests: UNSAFE_REQUESTS, environment: {} }],
  [
    'its session is used up',
    { status: 559, requests: A_POST, environment: { SESSION_MAX_MESSAGES: '1' } },
  ],
  [
    'it has no place',
    {
      status: 564,
      requests: A_POST,
      environment: { MAX_CONCURRENT_REQUESTS: '1' },
      prepare: takeTheOnlyPlace,
    },
  ],
];

/** Keeps relay B busy with a request of a client of its own, for a relay that does not respond to the pairing. */
async function takeTheOnlyPlace(tunnel: ProofTunnel): Promise<void> {
  const pairings = new Recorder<true>();
  const silent = createServer(() => {
    pairings.add(true);
  });
  const { url } = forThisTest(await listen(silent));
  const client = forThisTest(openSocket(tunnel.inbound.relay.port));
  const fields = ['host: b', `x-mte-outbound-token: ${TOKEN}`, `x-mte-upstream: ${url}`];
  client.write(`GET / HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  await pairings.count(1);
}

/** A tunnel whose attacker has kept its pairing. */
class KeptPairing {
  private constructor(
    readonly tunnel: ProofTunnel,
    private readonly pairings: readonly WireRequest[],
  ) {}

  /** Relay A has paired, and sent one message. */
  static async start(outbound: RelayEnvironment = {}): Promise<KeptPairing> {
    const tunnel = await ProofTunnel.start({ outbound });
    const attacker = forThisTest(await startManInTheMiddle(tunnel.inbound.relay.url));
    tunnel.path.leadPairingsTo(attacker.url);
    expect(await tunnel.send({ id: 'before', method: 'GET' })).toEqual(OK);
    return new KeptPairing(tunnel, attacker.requests.items);
  }

  /** Restarts relay B with an empty store, and makes the lost session's sid known to it again. */
  async recreateSession(environment: RelayEnvironment = {}): Promise<void> {
    await this.tunnel.restartInbound({ REDIS_URL: 'memory://', ...environment });
    this.tunnel.path.leadPairingsTo(this.tunnel.inbound.relay.url);
    expect(await this.tunnel.inbound.deliver(this.pairings[0]!)).toMatchObject(OK);
  }
}

async function expectOneExecutionAndNoMore(
  tunnel: ProofTunnel,
  outcome: ClientOutcome,
): Promise<void> {
  expect(tunnel.executions('pay')).toEqual(ONCE);
  expect(outcome).toEqual(MAYBE);
  await tunnel.deliverEverythingEverywhere();
  expect(tunnel.executions('pay')).toEqual(ONCE);
}

describe.each(REFUSALS)(
  '#43 a request that relay B executes before its pairing is replayed to an empty store; %s',
  (_how, { status, requests, environment, prepare }) => {
    const retried = requests.filter(([, { outbound }]) => outbound === undefined);

    it.each(retried)(
      'runs once, and its client is told "maybe", if its connection broke: %s',
      async (_, unsafe) => {
        const kept = await KeptPairing.start();
        const { tunnel } = kept;
        const responses: WireResponse[] = [];

        const outcome = await tunnel.send(
          { ...unsafe, id: 'pay' },
          async (message) => {
            expect(await tunnel.inbound.deliver(message)).toMatchObject(OK);
            await kept.recreateSession(environment);
            await prepare?.(tunnel);
            return undefined;
          },
          async (replacement) => {
            responses.push(await tunnel.inbound.deliver(replacement));
            return responses[0];
          },
        );

        expect(responses.map(summaryOf)).toEqual([inGoodFaith(status)]);
        await expectOneExecutionAndNoMore(tunnel, outcome);
      },
    );

    it.each(requests)(
      'runs once, and its client is told "maybe", if it is delivered again: %s',
      async (_, unsafe) => {
        const kept = await KeptPairing.start(unsafe.outbound);
        const { tunnel } = kept;
        const responses: WireResponse[] = [];

        const outcome = await tunnel.send({ ...unsafe, id: 'pay' }, async (message) => {
          expect(await tunnel.inbound.deliver(message)).toMatchObject(OK);
          await kept.recreateSession(environment);
          await prepare?.(tunnel);
          responses.push(await tunnel.inbound.deliver(message));
          return responses[0];
        });

        expect(responses.map(summaryOf)).toEqual([inGoodFaith(status)]);
        expect(tunnel.path.messages.items.length).toBe(2);
        await expectOneExecutionAndNoMore(tunnel, outcome);
      },
    );
  },
);

describe('#43 a session that a replayed pairing has made anew', () => {
  it('does not keep relay A from serving requests later', async () => {
    const kept = await KeptPairing.start();
    const { tunnel } = kept;
    await kept.recreateSession();

    await tunnel.send({ id: 'lost', method: 'GET' });

    await vi.waitFor(async () => {
      expect(await tunnel.send({ id: 'after', method: 'GET' })).toEqual(OK);
    });
    expect(await tunnel.send({ id: 'pay' })).toEqual(OK);
    expect(tunnel.executions('pay')).toEqual(ONCE);
  });

  it('never makes relay A send a POST whose check was not answered under its own session', async () => {
    const kept = await KeptPairing.start();
    const { tunnel } = kept;
    await kept.recreateSession();
    tunnel.advance(5_000);

    const { forwarded } = await tunnel.send({ id: 'pay' });

    // Either the check has led to a session that both relays know, or nothing was sent at all.
    const { B: executions } = tunnel.executions('pay');
    expect([executions, forwarded]).toEqual(executions === 0 ? [0, 'no'] : [1, undefined]);
  });
});
