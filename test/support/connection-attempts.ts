import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.client.socket';

/** Where this process really tries to connect to: addresses, after names have been looked up. */
export interface ConnectionAttempts {
  /** `address:port`, in order. */
  readonly targets: string[];
  close(): Promise<void>;
}

/** Watches every socket that is made from now on. */
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
