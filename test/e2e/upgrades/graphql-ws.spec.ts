import { createServer } from 'node:http';

import { buildSchema, execute, parse, subscribe, validate } from 'graphql';
import { createClient, type Client, type ClientOptions, type SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import {
  startUpgradeWays,
  type UpgradeWay,
  type UpgradeWays,
} from '../../support/tunnels/upgrade-ways.js';

const schema = buildSchema(`
  type Query { greet(name: String!): String! }
  type Subscription {
    count(to: Int!): Int!
    endless(name: String!): Int!
    dropped(name: String!): Int!
    failing: Int!
  }
`);

const shared = sharedResources();
/** Subscriptions that ended at the server because the client had stopped them. */
const stopped = new Recorder<string>();
/** Attempts at `dropped`, by name. */
const attempts = new Map<string, number>();
let ways: UpgradeWays;

const roots = {
  query: { greet: ({ name }: { name: string }) => `grüße, ${name}` },
  subscription: {
    count: async function* ({ to }: { to: number }) {
      for (let count = 1; count <= to; count += 1) {
        yield await Promise.resolve({ count });
      }
    },
    endless: async function* ({ name }: { name: string }) {
      try {
        for (let endless = 1; ; endless += 1) {
          yield await new Promise((resolve) => setImmediate(resolve, { endless }));
        }
      } finally {
        stopped.add(name);
      }
    },
    /** Drops the first connection after two values. */
    dropped: async function* ({ name }: { name: string }, { extra }: ServerContext) {
      const attempt = (attempts.get(name) ?? 0) + 1;
      attempts.set(name, attempt);
      yield await Promise.resolve({ dropped: 10 * attempt });
      yield { dropped: 10 * attempt + 1 };
      if (attempt === 1) {
        extra.socket.terminate();
      }
    },
    failing: async function* () {
      yield await Promise.resolve({ failing: 1 });
      throw new Error('no more values');
    },
  },
};

interface ServerContext {
  readonly extra: { readonly socket: WebSocket };
}

beforeAll(async () => {
  const server = createServer();
  const webSockets = new WebSocketServer({ server, path: '/graphql' });
  useServer(
    {
      schema,
      roots,
      // graphql exists twice, as a module and as CommonJS, and neither takes what the other made.
      ...{ execute, parse, subscribe, validate },
      context: (context) => context,
      onConnect: ({ connectionParams }) => connectionParams?.['secret'] === 'of the API',
    },
    webSockets,
  );
  ways = shared(await startUpgradeWays(shared(await listen(server))));
});

type ClientEvent = readonly [what: 'connected' | 'message' | 'closed', ...details: unknown[]];

/** A client that sends the fields of its way, numbers its operations, and records its connection. */
function startClient(way: UpgradeWay, options: Partial<ClientOptions> = {}) {
  const events = new Recorder<ClientEvent>();
  let operations = 0;
  class WebSocketOfWay extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols, { headers: way.headers });
    }
  }
  const client = createClient({
    url: `${way.webSocketUrl}/graphql`,
    webSocketImpl: WebSocketOfWay,
    connectionParams: { secret: 'of the API' },
    generateID: () => String((operations += 1)),
    retryWait: () => Promise.resolve(),
    ...options,
    on: {
      connected: () => {
        events.add(['connected']);
      },
      message: (message) => {
        events.add(['message', message]);
      },
      closed: (event) => {
        const { code, reason, wasClean } = event as WebSocket.CloseEvent;
        events.add(['closed', code, reason, wasClean]);
      },
    },
  });
  /** Ends the client, and resolves with all its events. */
  const disposed = async (): Promise<readonly ClientEvent[]> => {
    await client.dispose();
    await events.find(() => events.items.at(-1)?.[0] === 'closed');
    return [...events.items];
  };
  return { client, disposed };
}

/** All results of an operation, to its end. */
async function resultsOf(client: Client, query: string, variables = {}): Promise<unknown[]> {
  const results = [];
  const payload: SubscribePayload = { query, variables };
  for await (const result of client.iterate(payload)) {
    results.push(result.data ?? result.errors?.map(({ message }) => message));
  }
  return results;
}

const failureOf = async (client: Client, query: string): Promise<unknown> =>
  resultsOf(client, query).catch((error: unknown) => {
    const { code, reason } = error as WebSocket.CloseEvent;
    return { code, reason };
  });

describe('graphql-ws, compared with the same client directly', () => {
  it('has the results of queries and of subscriptions, and their errors', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, disposed } = startClient(way, { lazy: false });
      const results = [
        await resultsOf(client, 'query Greet($name: String!) { greet(name: $name) }', {
          name: '世界',
        }),
        await resultsOf(client, 'subscription { count(to: 100) }'),
        await resultsOf(client, 'subscription { failing }').catch(String),
        await resultsOf(client, '{ unknown }').catch(String),
      ];
      return { results, events: await disposed() };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.results.slice(0, 2)).toEqual([
      [{ greet: 'grüße, 世界' }],
      Array.from({ length: 100 }, (_, at) => ({ count: at + 1 })),
    ]);
    expect(direct.events).toContainEqual(['connected']);
  });

  it('stops a subscription at the server, and another goes on', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, disposed } = startClient(way, { lazy: false });
      const values: unknown[] = [];
      for await (const { data } of client.iterate({
        query: `subscription { endless(name: "${way.url}") }`,
      })) {
        values.push(data);
        if (values.length === 50) {
          break;
        }
      }
      await stopped.find((name) => name === way.url);
      const after = await resultsOf(client, 'subscription { count(to: 3) }');
      await disposed();
      return { values, after };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.values).toHaveLength(50);
    expect(direct.after).toHaveLength(3);
  });

  it('subscribes again after its connection was dropped', async () => {
    const { direct, tunnelled } = await ways.both(async (way) => {
      const { client, disposed } = startClient(way, { shouldRetry: () => true });
      const query = `subscription { dropped(name: "${way.url}") }`;
      const values = await resultsOf(client, query);
      return { values, closes: (await disposed()).filter(([what]) => what === 'closed') };
    });

    expect(tunnelled).toEqual(direct);
    expect(direct.values).toEqual([10, 11, 20, 21].map((dropped) => ({ dropped })));
    expect(direct.closes[0]).toEqual(['closed', 1006, '', false]);
  });

  it.each([
    ['4403, as the API refuses it', { connectionParams: { secret: 'wrong' } }, 4403, 'Forbidden'],
    ['4403, without parameters', { connectionParams: {} }, 4403, 'Forbidden'],
  ])('ends with %s', async (_, options, code, reason) => {
    const { direct, tunnelled } = await ways.both((way) =>
      failureOf(startClient(way, options).client, '{ greet(name: "x") }'),
    );

    expect(tunnelled).toEqual(direct);
    expect(direct).toEqual({ code, reason });
  });
});
