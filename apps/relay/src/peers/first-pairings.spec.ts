import { beforeEach, describe, expect, it } from 'vitest';

import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { FirstPairings } from './first-pairings.js';
import { FirstPairingLimitError, NotConnectedError, TunnelFailedError } from './peers.errors.js';

const FAILED_PER_MINUTE = 120;
const MAX_PENDING = 500;

const refused = new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', 'refused');
const notConnected = new NotConnectedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');

let clock: HandMovedClock;
let pairings: FirstPairings;

beforeEach(() => {
  clock = new HandMovedClock();
  pairings = new FirstPairings(clock);
});

const forever = (): Promise<never> => new Promise(() => undefined);

/** Begins this many pairings that never end. @returns how many of them were refused */
async function beginPending(network: string, count: number): Promise<number> {
  const outcomes = Array.from({ length: count }, () => pairings.run(network, forever));
  const pending = Symbol('pending');
  const settled = await Promise.all(
    outcomes.map((outcome) =>
      Promise.race([outcome, Promise.resolve(pending)]).catch((error: unknown) => error),
    ),
  );
  return settled.filter((result) => result !== pending).length;
}

/** Lets this many pairings fail in turn. @returns how many of them were begun */
async function failInTurn(network: string, count: number, error: Error): Promise<number> {
  let begun = 0;
  for (let at = 0; at < count; at += 1) {
    const pair = (): Promise<never> => {
      begun += 1;
      return Promise.reject(error);
    };
    await expect(pairings.run(network, pair)).rejects.toBeInstanceOf(TunnelFailedError);
  }
  return begun;
}

describe('first pairings', () => {
  it('return what the pairing returns', async () => {
    expect(await pairings.run('a', () => Promise.resolve('session'))).toBe('session');
  });

  it('that fail are limited to 120 a minute for the clients of one network', async () => {
    expect(await failInTurn('a', 1_000, refused)).toBe(FAILED_PER_MINUTE);
    clock.advance(1_000);
    expect(await failInTurn('a', 1_000, refused)).toBe(2);
    await expect(pairings.run('a', forever)).rejects.toBeInstanceOf(FirstPairingLimitError);
  });

  it('are possible for the clients of other networks when one has used up its limit', async () => {
    await failInTurn('a', 1_000, refused);
    expect(await pairings.run('b', () => Promise.resolve('session'))).toBe('session');
  });

  it('that succeed, or end without a connection, do not count', async () => {
    for (let at = 0; at < 1_000; at += 1) {
      await pairings.run('a', () => Promise.resolve());
    }
    expect(await failInTurn('a', 1_000, notConnected)).toBe(1_000);
    expect(await failInTurn('a', 1_000, refused)).toBe(FAILED_PER_MINUTE);
  });

  it('may be pending 120 times for one network, and 500 times in all', async () => {
    expect(await beginPending('a', 200)).toBe(200 - FAILED_PER_MINUTE);
    expect(await beginPending('b', 200)).toBe(200 - FAILED_PER_MINUTE);
    expect(await beginPending('c', FAILED_PER_MINUTE)).toBe(0);
    expect(await beginPending('d', FAILED_PER_MINUTE)).toBe(0);
    expect(await beginPending('e', 100)).toBe(100 - (MAX_PENDING - 4 * FAILED_PER_MINUTE));
  });

  it('that have ended leave their place to others', async () => {
    for (const network of ['a', 'b', 'c', 'd', 'e']) {
      await failInTurn(network, FAILED_PER_MINUTE, refused);
    }
    expect(await pairings.run('f', () => Promise.resolve('session'))).toBe('session');
  });
});
