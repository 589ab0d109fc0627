import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { REPLICA_HEADER } from '../processes/replica.js';
import { startRelay, SECRET, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { startUpstream, type Upstream, type UpstreamHandler } from '../upstreams/upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

/** The name of the peer with several origins. */
export const PEER = 'payments';

/** The environment of an inbound relay that tells the API which of several it is. */
function namedInbound(name: string): RelayEnvironment {
  return { HEADERS: JSON.stringify({ [REPLICA_HEADER]: name }) };
}

/** Writes a RELAY_CONFIG_FILE with one peer that has these origins. @returns the environment of an outbound relay that reads it */
export async function peerWithOrigins(
  folder: string,
  origins: readonly string[],
  { transport, secret = SECRET }: { readonly transport: string; readonly secret?: string },
): Promise<RelayEnvironment> {
  const path = join(folder, 'relay.yaml');
  const peer = { origins, transport, secret: { env: 'SECRET_OF_THE_PEER' } };
  // JSON is YAML.
  await writeFile(path, JSON.stringify({ peers: { [PEER]: peer } }));
  return { RELAY_CONFIG_FILE: path, SECRET_OF_THE_PEER: secret, CLIENT_ID_SECRET: '' };
}

/** An API, three relays in front of it that are the origins of one peer, and the relay that clients call, all in this process. */
export interface OriginsTunnel extends TunnelClient {
  readonly upstream: Upstream;
  readonly outbound: TestRelay;
  /** B1, B2 and B3, in the order of the file. */
  readonly inbound: TestRelay[];
  /** Starts an origin again at its address, after it was closed. */
  restart(index: number): Promise<void>;
  /** The names of the origins that the API has had requests from, in order. */
  served(): string[];
  close(): Promise<void>;
}

export async function startOriginsTunnel(
  transport: string,
  handler?: UpstreamHandler,
  environments: readonly RelayEnvironment[] = [],
): Promise<OriginsTunnel> {
  const [upstream, folder] = await Promise.all([startUpstream(handler), temporaryFolder()]);
  const start = (index: number, port = 0): Promise<TestRelay> =>
    startRelay({
      UPSTREAM: upstream.url,
      TUNNEL_TRANSPORT: 'auto',
      PORT: String(port),
      ...namedInbound(`B${index + 1}`),
      ...environments[index],
    });
  const inbound = await Promise.all([0, 1, 2].map((index) => start(index)));
  const outbound = await startRelay(
    await peerWithOrigins(
      folder.path,
      inbound.map(({ url }) => url),
      { transport },
    ),
  );
  return {
    upstream,
    outbound,
    inbound,
    ...tunnelClient(outbound.url, PEER),
    restart: async (index) => {
      inbound[index] = await start(index, inbound[index]?.port);
    },
    served: () => upstream.requests.items.map(({ headers }) => String(headers[REPLICA_HEADER])),
    close: async () => {
      await Promise.all([outbound, ...inbound, upstream].map((one) => one.close()));
      await folder.close();
    },
  };
}
