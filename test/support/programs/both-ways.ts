import { startRelay, type RelayEnvironment } from '../relays/relay.js';
import { tunnelClient } from '../tunnels/tunnel-client.js';
import { startForward, type Forward } from './forward.js';

/** A server that programs call, at its own origin. */
interface Server {
  readonly url: string;
}

/** One way to a server: directly, or through two relays. */
export interface Way extends Forward {
  /** What its user sets in the environment of a program. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the forward and the relays, but not the server. */
  close(): Promise<void>;
}

export const directWay = ({ url }: Server): Promise<Way> => startForward(url);

/** A forward, relay A, relay B, and the server; `inbound` is the environment of relay B. */
export async function tunnelledWay(server: Server, inbound: RelayEnvironment = {}): Promise<Way> {
  const [a, b] = await Promise.all([
    startRelay(),
    startRelay({ UPSTREAM: server.url, ...inbound }),
  ]);
  const forward = await startForward(a.url, tunnelClient(a.url, b.url).clientHeaders);
  return {
    ...forward,
    close: async () => {
      await forward.close();
      await Promise.all([a.close(), b.close()]);
    },
  };
}
