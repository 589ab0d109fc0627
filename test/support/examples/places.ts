import { createServer } from 'node:net';

import type { Network, Service } from '../assertions/deploy-files.js';
import { closedPort } from '../network/listen.js';
import { standInOf } from './stand-ins.js';

/** What an example says, and what takes its place on a machine that has neither its networks nor its containers. */
export type Places = ReadonlyMap<string, string>;

/** The ports on this machine of the services of an example, by name. */
export type Ports = ReadonlyMap<string, number>;

const PUBLISHED = /(\d+):(\d+)$/;
const VOLUME = /^\.\/([^:]+):([^:]+)/;

export async function freePorts(services: readonly string[]): Promise<Ports> {
  const ports = new Map<string, number>();
  for (const name of services) {
    ports.set(name, await closedPort(createServer()));
  }
  return ports;
}

/**
 * All that is changed in the files of an example:
 *
 * - `service:port`, and the ports that a service publishes, become a port on loopback;
 * - a name of a service that ends TLS becomes `localhost`, with a port in an https origin;
 * - a folder in a container becomes that of the example;
 * - what the configuration of a program says of its own port.
 */
export function placesOf(
  services: Readonly<Record<string, Service>>,
  ports: Ports,
  folder: string,
): Places {
  const places = new Map<string, string>();
  const portOf = (name: string): number => ports.get(name)!;
  for (const [name, service] of Object.entries(services)) {
    const { port, written } = standInOf(service);
    const here = portOf(name);
    places.set(`${name}:${port}`, `127.0.0.1:${here}`);
    for (const published of service.ports ?? []) {
      const [, outside, inside] = PUBLISHED.exec(String(published)) ?? [];
      if (inside === String(port)) {
        places.set(`localhost:${outside}`, `localhost:${here}`);
        places.set(`host.docker.internal:${outside}`, `127.0.0.1:${here}`);
      }
    }
    for (const alias of aliasesOf(service)) {
      places.set(`https://${alias}`, `https://localhost:${here}`);
      places.set(alias, 'localhost');
    }
    for (const volume of service.volumes ?? []) {
      const [, from = '', to = ''] = VOLUME.exec(volume) ?? [];
      places.set(to, `${folder}/${from}`);
    }
    for (const [before, after] of written?.(here, portOf) ?? []) {
      places.set(before, after);
    }
  }
  return places;
}

const aliasesOf = ({ networks = {} }: Service): readonly string[] =>
  Object.values<string | Network>(networks).flatMap((network) =>
    typeof network === 'string' ? [] : (network.aliases ?? []),
  );

/** A text of an example, with all places of this machine, of which a longer one takes precedence. */
export function replaced(text: string, places: Places): string {
  const names = [...places.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(names.map(literally).join('|'), 'g');
  return text.replaceAll(pattern, (name) => places.get(name)!);
}

const literally = (text: string): string => text.replaceAll(/[^\w\s/:-]/g, '\\$&');
