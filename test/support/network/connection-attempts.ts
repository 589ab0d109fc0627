import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.client.socket';

/** The addresses that this process actually tries to connect to, after name resolution. */
export interface ConnectionAttempts {
  /** `address:port`, in the order of the attempts. */
  readonly targets: string[];
  close(): Promise<void>;
}

/** Watches every socket that is created from now on. */
export function watchConnections(): ConnectionAttempts {
  const targets: string[] = [];
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.on('connectionAttempt', (address: string, port: number) => {
      targets.push(`${address}:${port}`);
    });
  };
  subscribe(CHANNEL, onSocket);
  return {
    targets,
    close: () => {
      unsubscribe(CHANNEL, onSocket);
      return Promise.resolve();
    },
  };
}
