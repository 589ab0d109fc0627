import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { listen, type Listening } from '../network/listen.js';
import { openSocket, type RawSocket } from '../network/raw-socket.js';
import { Recorder } from '../lifecycle/recorder.js';

/** One received request, and the client that sent it. */
export interface ReceivedRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: RawSocket;
}

/** A real HTTP server that sends no response itself: it hands every request to the test. */
export interface RequestServer extends Listening {
  /** Sends these bytes on a new connection, and resolves when the server has received them as a request. */
  receive(bytes: string | Buffer): Promise<ReceivedRequest>;
}

export async function startRequestServer(): Promise<RequestServer> {
  const requests = new Recorder<Omit<ReceivedRequest, 'client'>>();
  const listening = await listen(
    createServer({ requestTimeout: 0 }, (message, response) => {
      requests.add({ message, response });
    }),
  );
  const clients: RawSocket[] = [];
  return {
    ...listening,
    receive: async (bytes) => {
      const received = requests.items.length;
      const client = openSocket(listening.port);
      clients.push(client);
      client.write(bytes);
      const [request] = (await requests.count(received + 1)).slice(-1);
      return { ...request!, client };
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await listening.close();
    },
  };
}
