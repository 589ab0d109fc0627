import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from './listen.js';

/** One client's connection, and the connection to the target that was chosen for it. */
interface Link {
  readonly target: number;
  readonly near: Socket;
  readonly far: Socket;
  /** When the client sent something last, on the clock of `performance.now()`. */
  sentAtMs: number;
}

/**
 * A TCP load balancer: connections go round robin to the targets that accept them. A target is a loopback port. The
 * balancer knows nothing of HTTP, so a connection stays with its target until one side ends it.
 */
export interface Balancer extends Listening {
  /** Adds a target for new connections. */
  add(target: number): void;
  /** Sends no new connections to a target; existing connections continue. */
  remove(target: number): void;
  /** Breaks the network to a target: its connections are reset, and new ones fail until `heal`. */
  cut(target: number): void;
  /** Resets the one connection to a target over which a client has sent something last. */
  resetLatest(target: number): void;
  /** Silences the network to a target: bytes in transit wait, and new connections fail until `heal`. */
  silence(target: number): void;
  /** Ends `cut` and `silence`: bytes that waited arrive. */
  heal(target: number): void;
}

interface BalancerOptions {
  /** Called with every chunk that clients send, before it is passed on. */
  readonly onSent?: (chunk: Buffer) => void;
  /** The delay in each direction; none by default. */
  readonly latencyMs?: number;
}

export async function startBalancer({
  onSent,
  latencyMs = 0,
}: BalancerOptions = {}): Promise<Balancer> {
  const inService = new Set<number>();
  const unreachable = new Set<number>();
  const silent = new Set<number>();
  const links = new Set<Link>();
  let turn = 0;

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
    turn += 1;
    const candidates = [...inService].filter((port) => !unreachable.has(port));
    const first = turn % candidates.length;
    void dispatch(near, [...candidates.slice(first), ...candidates.slice(0, first)]);
  });

  /** Skips a target that refuses the connection, as load balancers do: nothing has been sent to it yet. */
  async function dispatch(near: Socket, [target, ...others]: readonly number[]): Promise<void> {
    if (target === undefined) {
      near.resetAndDestroy();
      return;
    }
    const far = await connectTo(target);
    if (far === undefined || unreachable.has(target)) {
      far?.destroy();
      return dispatch(near, others);
    }
    join({ target, near, far, sentAtMs: performance.now() });
  }

  function join(link: Link): void {
    const { near, far, target } = link;
    links.add(link);
    near.once('close', () => links.delete(link));
    near.on('data', (chunk: Buffer) => {
      link.sentAtMs = performance.now();
      onSent?.(chunk);
    });
    pass(near, far, target);
    pass(far, near, target);
  }

  /** Keeps the order of chunks: timers of the same delay fire in the order in which they were set. */
  const later = (arrive: () => void): void => {
    if (latencyMs === 0) {
      arrive();
    } else {
      setTimeout(arrive, latencyMs);
    }
  };

  function pass(source: Socket, sink: Socket, target: number): void {
    source.on('data', (chunk: Buffer) => {
      later(() => {
        if (!sink.destroyed && !sink.write(chunk)) {
          source.pause();
        }
      });
    });
    sink.on('drain', () => {
      if (!silent.has(target)) {
        source.resume();
      }
    });
    source.on('end', () => {
      later(() => sink.end());
    });
    source.on('error', () => {
      later(() => sink.resetAndDestroy());
    });
    source.on('close', () => {
      later(() => sink.destroy());
    });
    source.resume();
  }

  const linksOf = (target: number): Link[] => [...links].filter((link) => link.target === target);

  return {
    ...(await listen(server)),
    add: (target) => {
      inService.add(target);
    },
    remove: (target) => {
      inService.delete(target);
    },
    cut: (target) => {
      unreachable.add(target);
      for (const { near, far } of linksOf(target)) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    resetLatest: (target) => {
      const [latest] = linksOf(target).sort((one, other) => other.sentAtMs - one.sentAtMs);
      latest?.near.resetAndDestroy();
      latest?.far.resetAndDestroy();
    },
    silence: (target) => {
      unreachable.add(target);
      silent.add(target);
      for (const { near, far } of linksOf(target)) {
        near.pause();
        far.pause();
      }
    },
    heal: (target) => {
      unreachable.delete(target);
      silent.delete(target);
      for (const { near, far } of linksOf(target)) {
        near.resume();
        far.resume();
      }
    },
  };
}

/** @returns a connection, or undefined if nothing listens on the port */
function connectTo(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => {
      resolve(socket.removeAllListeners('error'));
    });
    socket.once('error', () => {
      resolve(undefined);
    });
  });
}
