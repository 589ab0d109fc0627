import { createServer } from 'node:http';

import {
  create,
  createFileRegistry,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
} from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  StringValueSchema,
  file_google_protobuf_wrappers,
  type StringValue,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { beforeAll, describe, expect, it } from 'vitest';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { listen } from '../../support/network/listen.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';

const TYPE = '.google.protobuf.StringValue';
const types = { inputType: TYPE, outputType: TYPE };
/** The description of a service, which a compiler would otherwise write. */
const FILE = create(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: 'test',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto'],
  service: [
    {
      name: 'Echo',
      method: [
        { name: 'Once', ...types },
        { name: 'Thrice', ...types, serverStreaming: true },
        { name: 'Join', ...types, clientStreaming: true },
      ],
    },
  ],
});
const ECHO = createFileRegistry(FILE, () => file_google_protobuf_wrappers).getService('test.Echo')!;
type Input = typeof StringValueSchema;
const ONCE = ECHO.method['once'] as DescMethodUnary<Input, Input>;
const THRICE = ECHO.method['thrice'] as DescMethodServerStreaming<Input, Input>;
const JOIN = ECHO.method['join'] as DescMethodClientStreaming<Input, Input>;

const text = (value: string): StringValue => create(StringValueSchema, { value });

const adapter = connectNodeAdapter({
  routes: (router) => {
    router.rpc(ONCE, ({ value }) => {
      if (value === 'fail') {
        throw new ConnectError('on purpose', Code.NotFound);
      }
      return text(value);
    });
    router.rpc(THRICE, async function* ({ value }) {
      for (const n of [1, 2, 3]) {
        yield await Promise.resolve(text(`${value}${n}`));
      }
    });
    router.rpc(JOIN, async (values) => {
      let joined = '';
      for await (const { value } of values) {
        joined += value;
      }
      return text(joined);
    });
  },
});

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  const { port } = shared(await listen(createServer(adapter)));
  tunnel = shared(await startTunnel({ inbound: { UPSTREAM: `http://127.0.0.1:${port}` } }));
});

/** All messages of a response to these. */
async function call(
  transport: Transport,
  method: DescMethodServerStreaming<Input, Input> | DescMethodClientStreaming<Input, Input>,
  values: readonly string[],
): Promise<string[]> {
  const inputs = async function* () {
    for (const value of values) {
      yield await Promise.resolve(text(value));
    }
  };
  const { message } = await transport.stream(
    method,
    undefined,
    undefined,
    tunnel.clientHeaders,
    inputs(),
  );
  const received: string[] = [];
  for await (const { value } of message) {
    received.push(value);
  }
  return received;
}

const once = async (transport: Transport, value: string): Promise<string> =>
  (await transport.unary(ONCE, undefined, undefined, tunnel.clientHeaders, text(value))).message
    .value;

describe.each([
  ['Connect', createConnectTransport],
  ['gRPC-Web', createGrpcWebTransport],
] as const)('a client of %s over HTTP/1.1', (_name, createTransport) => {
  const transport = (): Transport =>
    createTransport({ baseUrl: tunnel.outbound.url, httpVersion: '1.1' });

  it('calls a method and receives its response', async () => {
    expect(await once(transport(), 'hello')).toBe('hello');
  });

  it('receives an error with its code and message', async () => {
    await expect(once(transport(), 'fail')).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: 'on purpose',
    });
  });

  it('receives a stream of responses', async () => {
    expect(await call(transport(), THRICE, ['a'])).toEqual(['a1', 'a2', 'a3']);
  });

  it('sends a stream of requests', async () => {
    expect(await call(transport(), JOIN, ['a', 'b', 'c'])).toEqual(['abc']);
  });
});

describe('a client of gRPC', () => {
  it('fails at once, because gRPC needs HTTP/2', async () => {
    const transport = createGrpcTransport({ baseUrl: tunnel.outbound.url });

    await expect(once(transport, 'hello')).rejects.toBeInstanceOf(ConnectError);

    const line = await tunnel.outbound.log.find(({ code }) => code === 'RELAY_VERSION_UNSUPPORTED');
    expect(JSON.stringify(line)).toContain('gRPC');
  });
});
