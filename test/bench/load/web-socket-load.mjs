/** WebSockets through chains, on which another process sends and receives. */
import { once } from 'node:events';
import { URL, fileURLToPath } from 'node:url';

import { startWorker } from '../processes.mjs';

/** @import { Chain } from '../chains/index.mjs' */
/** @import { Jobs } from './web-sockets.mjs' */

const SCRIPT = fileURLToPath(new URL('web-sockets.mjs', import.meta.url));

/** Starts the process. What a job has opened stays open for the next ones. */
export function startWebSockets() {
  const child = startWorker(SCRIPT);
  /**
   * @template {keyof Jobs} Name
   * @param {Name} name
   * @param {Chain} chain
   * @param {number[]} args
   * @returns {Promise<Awaited<ReturnType<Jobs[Name]>>>}
   */
  const ask = async (name, chain, ...args) => {
    const { port, headers } = chain;
    child.send({ name, entry: { name: chain.name, port, headers }, args });
    const [result] = await once(child, 'message');
    return result;
  };
  return {
    child,
    /**
     * Opens WebSockets and leaves them alone.
     *
     * @param {Chain} chain
     * @param {number} count
     */
    open: (chain, count) => ask('open', chain, count),
    /**
     * As many messages of 1 KiB as come back, one at a time on each connection.
     *
     * @param {Chain} chain
     * @param {{ connections: number, seconds: number }} load
     */
    saturate: (chain, { connections, seconds }) => ask('saturate', chain, connections, seconds),
    /**
     * Messages of 1 KiB at fixed times.
     *
     * @param {Chain} chain
     * @param {{ connections: number, perSecond: number, seconds: number }} rate
     */
    atRate: (chain, { connections, perSecond, seconds }) =>
      ask('atRate', chain, connections, perSecond, seconds),
    /**
     * Messages of 64 KiB from the API, on one WebSocket.
     *
     * @param {Chain} chain
     * @param {number} bytes
     */
    down: (chain, bytes) => ask('down', chain, bytes),
    /**
     * Messages of 64 KiB to the API, on one WebSocket.
     *
     * @param {Chain} chain
     * @param {number} bytes
     */
    up: (chain, bytes) => ask('up', chain, bytes),
  };
}
