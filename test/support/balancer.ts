import { connect, createServer, type Socket } from 'node:net';

import { listen, type Listening } from './listen.js';

/** One client's connection, and the one to the target that was chosen for it. */
interface Link {
  readonly target: number;
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * A TCP load balancer: connections go round robin to those targets that take them. A target is a loopback port. Nothing
 * of HTTP is known here, so that a connection stays with its target until one side ends it.
 */
export interface Balancer extends Listening {
  /** Sends new connections there as well. */
  add(target: number): void;
  /** Sends no new connections there; those that exist go on. */
  remove(target: number): void;
  /** The network to a target breaks: its connections are reset, and no new one comes about until it heals. */
  cut(target: number): void;
  /** The network to a target falls silent: what is under way waits, and no new connection comes about until it heals. */
  silence(target: number): void;
  /** Ends `cut` and `silence`: what waited arrives. */
  heal(target: number): void;
}

interface BalancerOptions {
  /** Sees every piece that clients send, before it is passed on. */
  readonly onSent?: (chunk: Buffer) => void;
  /** How long everything takes on its way, in each direction; nothing otherwise. */
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

  /** A target that refuses is passed over, as load balancers do: nothing was sent to it yet. */
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
    join({ target, near, far });
  }

  function join(link: Link): void {
    const { near, far, target } = link;
    links.add(link);
    near.once('close', () => links.delete(link));
    near.on('data', (chunk: Buffer) => onSent?.(chunk));
    pass(near, far, target);
    pass(far, near, target);
  }

  /** Timers of one length fire in the order in which they were set. */
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

/** @returns a connection, or undefined where nobody listens */
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
