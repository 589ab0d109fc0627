import { readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { imageVariables, type Environment, type Service } from '../assertions/deploy-files.js';
import type { Closable } from '../lifecycle/resources.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { startCaddy, startNginx } from '../network/intermediaries.js';
import { startRelayProcess, type RelayProcess } from '../processes/relay-process.js';
import { startService } from '../programs/service.js';
import { DEFAULTS, type RelayEnvironment } from '../relays/relay.js';
import { startCollector, type Collector } from '../traces/collector.js';

/** A service of an example, about to be started on this machine. */
export interface Start {
  readonly service: Service;
  /** The folder of the example, which has its compose file. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The port of this machine that stands for the one in the container. */
  readonly port: number;
}

/** A service of an example that runs on this machine. */
export interface Running extends Closable {
  /** What it has written so far. */
  readonly log?: () => string;
  readonly relay?: RelayProcess;
  readonly collector?: Collector;
}

/** What runs on this machine in place of a container. */
export interface StandIn {
  /** The port on which the container listens. */
  readonly port: number;
  /** Where the port is written other than after a host, and what stands there instead. */
  readonly written?: (port: number, portOf: (service: string) => number) => [string, string][];
  readonly start: (start: Start) => Promise<Running>;
}

/** All variables that a relay of the tests would have by default are unset: those of the example are enough. */
const UNSET = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']));

/** Starts a relay as the image does, but without the admin listener: several relays share this machine. */
export const startImage = (environment: RelayEnvironment): Promise<RelayProcess> =>
  startRelayProcess({
    ...UNSET,
    ...texts(imageVariables),
    ADMIN_PORT: '',
    ADMIN_HOST: '',
    ...environment,
  });

export const texts = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, String(value ?? '')]),
  );

const RELAY: StandIn = {
  port: 8080,
  start: async ({ environment, port }) => {
    const relay = await startImage({ ...environment, HOST: '127.0.0.1', PORT: String(port) });
    return { relay, close: () => relay.close() };
  },
};

const SAMPLE_UPSTREAM: StandIn = {
  port: 3000,
  start: async ({ port }) =>
    startService('node', [resolve('deploy/docker/sample-upstream/server.js')], {
      folder: await temporaryFolder(),
      port,
      env: { PORT: String(port) },
    }),
};

/** A program of an example, which finds its packages where the relay has its own. */
const PROGRAM: StandIn = {
  port: 3000,
  start: async ({ service, folder, environment, port }) => {
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    return startService('node', programOf(service, folder), {
      folder: await temporaryFolder(),
      port,
      env: { ...environment, PORT: String(port) },
    });
  },
};

/** The files of a program that a service runs with Node.js, on this machine. */
export function programOf({ entrypoint = [] }: Service, folder: string): string[] {
  const [command, ...files] = entrypoint;
  if (command !== 'node') {
    throw new Error(`no stand-in for ${entrypoint.join(' ')}`);
  }
  return files.map((file) => join(folder, file));
}

const BY_IMAGE: Readonly<Record<string, StandIn>> = {
  'mte-api-relay': RELAY,
  'mte-sample-upstream': SAMPLE_UPSTREAM,
  'caddy:2': {
    port: 443,
    start: async ({ folder, port }) => {
      const caddyfile = await readFile(join(folder, 'Caddyfile'), 'utf8');
      // Debian 12 has Caddy 2.6, which does not know it.
      return startCaddy(caddyfile.replace('stream_close_delay 15m\n', '\n'), port);
    },
  },
  'nginx:stable': {
    port: 443,
    written: (port) => [['listen 443 ', `listen ${port} `]],
    start: async ({ folder, port }) =>
      startNginx(await readFile(join(folder, 'relay.conf'), 'utf8'), port),
  },
  'jaegertracing/jaeger:2.1.0': {
    port: 4318,
    start: async ({ port }) => {
      const collector = await startCollector(port);
      return { collector, close: () => collector.close() };
    },
  },
};

/** What an example builds from a folder of its own. */
const BY_CONTEXT: Readonly<Record<string, StandIn>> = {
  proxy: {
    port: 8888,
    written: (port, portOf) => [
      ['Port 8888\n', `Port ${port}\n`],
      ['ConnectPort 8080\n', `ConnectPort ${portOf('relay-b')}\n`],
    ],
    start: async ({ folder, port }) =>
      startService('tinyproxy', ['-d', '-c', join(folder, 'proxy/tinyproxy.conf')], {
        folder: await temporaryFolder(),
        port,
      }),
  },
};

/** What stands in for a service. */
export function standInOf({ image = '', build, entrypoint }: Service): StandIn {
  const standIn = build === undefined ? BY_IMAGE[image] : BY_CONTEXT[build.context];
  if (standIn === undefined) {
    throw new Error(`no stand-in for ${image}${build?.context ?? ''}`);
  }
  return entrypoint === undefined ? standIn : PROGRAM;
}
