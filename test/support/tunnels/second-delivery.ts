import { expect } from 'vitest';

import type { WireRequest, WireResponse } from '../attackers/man-in-the-middle.js';
import type { RelayEnvironment } from '../relays/relay.js';
import type { ProofRequest, ProofTunnel } from './proof-tunnel.js';

/** A request that changes something, and how relay A is configured that sends it. */
interface UnsafeRequest extends Omit<ProofRequest, 'id'> {
  readonly outbound?: RelayEnvironment;
}

/** What must run at most once. The last of them shows what a client is told that retries on its own. */
export const UNSAFE_REQUESTS: readonly (readonly [what: string, unsafe: UnsafeRequest])[] = [
  ['a POST', {}],
  ['a POST as MTE', { type: 'MTE' }],
  ['a PUT', { method: 'PUT' }],
  ['a DELETE', { method: 'DELETE', body: '' }],
  ['a POST that A does not retry', { outbound: { RETRY_UNSAFE_METHODS: 'false' } }],
];

const ID = 'pay';

/**
 * Lets relay B execute a request, and gives its sender the response to a replay instead of B's. Expects that the request has run
 * once, that its client is told nothing else, and that the tunnel is of use afterwards.
 *
 * @param replay - delivers the message for the second time
 * @returns the response to the replay
 */
export async function expectOneExecution(
  tunnel: ProofTunnel,
  unsafe: UnsafeRequest,
  replay: (message: WireRequest) => Promise<WireResponse>,
): Promise<WireResponse> {
  const responses: WireResponse[] = [];
  const outcome = await tunnel.send({ ...unsafe, id: ID }, async (message) => {
    expect(await tunnel.inbound.deliver(message)).toMatchObject({ status: 200 });
    const response = await replay(message);
    responses.push(response);
    return response;
  });

  const executions = tunnel.executions(ID);
  expect(executions).toMatchObject({ A: 0, B: 1 });
  expect(outcome).toEqual({ status: 502, forwarded: 'maybe' });
  await tunnel.deliverEverythingEverywhere();
  expect(tunnel.executions(ID)).toEqual(executions);
  expect(Object.values(executions).reduce((sum, count) => sum + count)).toBe(1);
  expect(await tunnel.send({ id: 'after', method: 'GET' })).toEqual({ status: 200 });
  return responses[0]!;
}
