import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { loadConfig } from '@relay/config';

import { RELAY_APP_OPTIONS, configureRelayApp } from '../../../apps/relay/src/app.factory.js';
import { AppModule } from '../../../apps/relay/src/app.module.js';
import { RelayLog } from '../../../apps/relay/src/telemetry/relay-log.js';
import { createRelayAdapter } from '../../../apps/relay/src/server/relay-adapter.js';
import { Recorder } from '../lifecycle/recorder.js';
import { TRANSPORT } from '../tunnels/transport.js';

/** The environment variables of a relay, by name. */
export type RelayEnvironment = Readonly<Record<string, string>>;

/** A line of a relay's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A relay in this process, on a real socket. */
export interface TestRelay {
  readonly app: NestFastifyApplication;
  readonly port: number;
  readonly url: string;
  /** All lines that the relay logs, at level debug. */
  readonly log: Recorder<LogLine>;
  close(): Promise<void>;
}

/** The outbound token of the relays in tests. */
export const TOKEN = 'outbound-token-of-the-tests';
/** The secret that the relays in tests share by default. */
export const SECRET = randomBytes(32).toString('base64url');

/**
 * The default environment of a relay in a test. Nothing listens at its upstream. Requests go one way, so that each test knows which:
 * as messages, or over channels where the whole suite is run over them.
 */
export const DEFAULTS: RelayEnvironment = {
  UPSTREAM: 'http://127.0.0.1:9',
  CLIENT_ID_SECRET: SECRET,
  OUTBOUND_TOKEN: TOKEN,
  REDIS_URL: 'memory://',
  HOST: '127.0.0.1',
  PORT: '0',
  TUNNEL_TRANSPORT: TRANSPORT,
};

/** Replaces providers in the module before the relay starts, such as the clock. */
export type Adjust = (builder: TestingModuleBuilder) => TestingModuleBuilder;

/** Builds a relay as main does, except for its log, and makes it listen on a free loopback port. */
export async function startRelay(
  overrides: RelayEnvironment = {},
  adjust: Adjust = (builder) => builder,
): Promise<TestRelay> {
  const { config } = loadConfig({ ...DEFAULTS, ...overrides });
  const log = new Recorder<LogLine>();
  const destination = {
    write: (line: string) => {
      log.add(JSON.parse(line) as LogLine);
    },
  };
  const builder = Test.createTestingModule({ imports: [AppModule.register(config)] })
    .overrideProvider(RelayLog)
    .useValue(new RelayLog('debug', destination));
  const module = await adjust(builder).compile();
  const app = module.createNestApplication<NestFastifyApplication>(
    createRelayAdapter(config),
    RELAY_APP_OPTIONS,
  );
  await configureRelayApp(app);
  const sockets = new Set<Socket>();
  app.getHttpServer().on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await app.listen(config.port, config.host);
  const server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  return {
    app,
    port,
    url: `${config.tlsCertFile === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    log,
    close: async () => {
      // Also those that have become channels, which the server does not close.
      for (const socket of sockets) {
        socket.destroy();
      }
      await app.close();
    },
  };
}
