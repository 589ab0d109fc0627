import cluster from 'node:cluster';
import type { ListenOptions, Server } from 'node:net';

/** The part of a worker that asks its primary to listen. Node.js does not document it. */
interface Asking {
  readonly isWorker: boolean;
  _getServer?: (server: Server, options: object, done: unknown) => void;
}

/** Those that are the only one at their address in this process. */
const lone = new WeakSet<Server>();
let isAdjusted = false;

/**
 * Listens where no other server of this process does; all workers do so together.
 *
 * A worker numbers the servers that it has had at one address at a time, and goes on counting when its primary could not listen
 * there. Workers that have tried differently often would then ask for different servers at the same address, of which the
 * primary can open only one, even when the address is long free.
 */
export function listenWithWorkers(server: Server, at: ListenOptions): void {
  adjust(cluster);
  lone.add(server);
  server.listen(at);
}

function adjust(worker: Asking): void {
  const ask = worker._getServer?.bind(worker);
  if (isAdjusted || !worker.isWorker || ask === undefined) {
    return;
  }
  isAdjusted = true;
  worker._getServer = (server, options, done) => {
    ask(server, lone.has(server) ? { ...options, index: 0 } : options, done);
  };
}
