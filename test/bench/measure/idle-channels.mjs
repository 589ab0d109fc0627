/** What channels cost on which nothing happens: those of many peers at one relay. */
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

import { UPSTREAM_PORT } from '../chains/index.mjs';
import { SECRET, startRelay } from '../chains/relays.mjs';
import { openChannels } from '../load/channel-peer.mjs';
import { listening, observe, pidsOf, residentMib, stop } from '../processes.mjs';

/** @typedef {{ peers: number, channelsEach: number, seconds: number }} IdlePlan */

/**
 * @typedef {object} IdleSummary
 * @property {number} channels
 * @property {number} peers
 * @property {number} kibPerChannel - what each channel adds to the memory of the relay
 * @property {number} cpuShare - of one core, for all channels together
 */

const PORT = 17_910;
const SETTLE_MS = 2_000;
/** Both sides send a PING when they have received nothing for 20 s. */
const CHECK_INTERVAL_MS = 1_000;

/**
 * @param {IdlePlan} plan
 * @returns {Promise<IdleSummary>}
 */
export async function idleChannels({ seconds, ...count }) {
  const relay = startRelay(PORT, UPSTREAM_PORT);
  const pids = pidsOf([relay]);
  await listening(PORT);
  const origin = `http://127.0.0.1:${PORT}`;
  // The code that pairs and accepts is loaded and compiled before the first measurement.
  const warmUp = await openChannels(origin, SECRET, { peers: 20, channelsEach: 2 });
  warmUp.forEach(({ close }) => close());
  await delay(SETTLE_MS);
  const before = residentMib(pids);
  const channels = await openChannels(origin, SECRET, count);
  const timer = setInterval(() => {
    channels.forEach(({ check }) => check());
  }, CHECK_INTERVAL_MS);
  await delay(SETTLE_MS);
  const { hopSeconds } = await observe(pids, () => delay(seconds * 1_000));
  const after = residentMib(pids);
  clearInterval(timer);
  channels.forEach(({ close }) => close());
  await stop(relay);
  return {
    channels: channels.length,
    peers: count.peers,
    kibPerChannel: ((after - before) * 1_024) / channels.length,
    cpuShare: (hopSeconds[0] ?? NaN) / seconds,
  };
}
