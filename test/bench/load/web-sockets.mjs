/** WebSockets through chains, in a process of their own: it does what web-socket-load.mjs asks for, one job after another. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { WebSocket } from 'ws';

import { sendMessages } from './messages.mjs';

/** @import { Entry } from './client.mjs' */

/** @typedef {typeof JOBS} Jobs */
/** @typedef {{ name: keyof Jobs, entry: Entry, args: number[] }} Job */

const MESSAGE = Buffer.alloc(1024, 'x');
/** How many connections are opened at a time. */
const CONCURRENCY = 20;

/**
 * A WebSocket on which every message comes back, in order.
 *
 * @typedef {object} Echo
 * @property {() => Promise<void>} send - resolves when the message is back
 */

/**
 * The connections that are kept for the next job, by the port of their chain.
 *
 * @type {Map<number, Promise<Echo[]>>}
 */
const kept = new Map();

/**
 * @param {Entry} entry
 * @param {string} path
 */
function connect({ name, port, headers }, path) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    headers,
    perMessageDeflate: false,
    // Masks of zeros cost the load, which is not measured, no time.
    generateMask: (mask) => mask.fill(0),
  });
  socket.on('unexpected-response', (_, { statusCode }) => {
    throw new Error(`${name}: the status of an upgrade was ${statusCode}`);
  });
  return socket;
}

/**
 * @param {Entry} entry
 * @returns {Promise<Echo>}
 */
async function openEcho(entry) {
  const socket = connect(entry, '/');
  /** @type {(() => void)[]} */
  const waiting = [];
  socket.on('message', () => waiting.shift()?.());
  socket.on('close', (code) => {
    throw new Error(`${entry.name}: a WebSocket was closed with code ${code}`);
  });
  await once(socket, 'open');
  return {
    send: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        socket.send(MESSAGE);
      }),
  };
}

/**
 * @param {Entry} entry
 * @param {number} count
 */
async function openMany(entry, count) {
  /** @type {Echo[]} */
  const open = [];
  while (open.length < count) {
    const more = Math.min(CONCURRENCY, count - open.length);
    open.push(...(await Promise.all(Array.from({ length: more }, () => openEcho(entry)))));
  }
  return open;
}

/**
 * @param {Entry} entry
 * @param {number} count
 */
function keep(entry, count) {
  const echoes = kept.get(entry.port) ?? openMany(entry, count);
  kept.set(entry.port, echoes);
  return echoes;
}

const JOBS = {
  /**
   * Opens WebSockets and leaves them alone.
   *
   * @param {Entry} entry
   * @param {number} count
   */
  async open(entry, count) {
    await openMany(entry, count);
  },

  /**
   * Sends messages of 1 KiB, on each connection the next one as soon as the last one is back.
   *
   * @param {Entry} entry
   * @param {number} connections
   * @param {number} seconds
   */
  async saturate(entry, connections, seconds) {
    const echoes = await keep(entry, connections);
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    let requests = 0;
    await Promise.all(
      echoes.map(async ({ send }) => {
        while (performance.now() < endMs) {
          await send();
          requests += 1;
        }
      }),
    );
    return { requests, perSecond: (requests * 1000) / (performance.now() - startMs) };
  },

  /**
   * Sends messages of 1 KiB at fixed times, whether or not earlier ones are back, on all connections in turn.
   *
   * @param {Entry} entry
   * @param {number} connections
   * @param {number} perSecond
   * @param {number} seconds
   * @returns {Promise<number[]>} latencies in ms
   */
  async atRate(entry, connections, perSecond, seconds) {
    const echoes = await keep(entry, connections);
    const startMs = performance.now();
    const pending = [];
    for (let sent = 0; sent < perSecond * seconds; sent += 1) {
      const waitMs = startMs + (sent * 1000) / perSecond - performance.now();
      if (waitMs > 0) {
        await delay(waitMs);
      }
      const sentMs = performance.now();
      const back = echoes[sent % echoes.length]?.send();
      pending.push(back?.then(() => performance.now() - sentMs) ?? NaN);
    }
    return Promise.all(pending);
  },

  /**
   * Has the API send messages of 64 KiB.
   *
   * @param {Entry} entry
   * @param {number} bytes
   */
  async down(entry, bytes) {
    const socket = connect(entry, `/bytes/${bytes}`);
    let left = bytes;
    await new Promise((resolve, reject) => {
      socket.on('message', (/** @type {Buffer} */ message) => {
        left -= message.length;
        if (left === 0) {
          resolve(undefined);
        }
      });
      socket.on('close', () => reject(new Error(`${entry.name}: ${left} bytes are missing`)));
    });
    socket.close();
  },

  /**
   * Sends messages of 64 KiB to the API.
   *
   * @param {Entry} entry
   * @param {number} bytes
   */
  async up(entry, bytes) {
    const socket = connect(entry, `/take/${bytes}`);
    await once(socket, 'open');
    await Promise.all([once(socket, 'message'), sendMessages(socket, bytes)]);
    socket.close();
  },
};

process.on('message', async (/** @type {Job} */ { name, entry, args }) => {
  /** @type {(entry: Entry, ...args: number[]) => Promise<unknown>} */
  const job = JOBS[name];
  process.send?.((await job(entry, ...args)) ?? null);
});
