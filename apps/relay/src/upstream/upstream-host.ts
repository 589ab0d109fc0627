import type { RelayConfig } from '@relay/config';
import type { RequestHead } from '@relay/protocol';

import type { Requester } from './upstream-fields.js';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Which host the upstream is told, and which of those that requesters name is believed. A peer has proved to hold the secret.
 * Anybody may use a pass-through route, under any name, and APIs choose sites and build links by what they are told: there, only
 * the names of this relay are believed.
 */
export class UpstreamHost {
  private readonly ownNames: ReadonlySet<string>;
  private readonly setting: string;

  constructor({ upstreamHost, relayAudience = [] }: RelayConfig) {
    this.setting = upstreamHost;
    this.ownNames = new Set(relayAudience.flatMap(namesOf));
  }

  /** The host that the requester named; empty if it named none, or none that is believed. */
  believed({ authority }: RequestHead, requester: Requester): string {
    const isBelieved = requester === 'peer' || this.ownNames.has(authority.toLowerCase());
    return isBelieved ? authority : '';
  }

  /** The host field of a request to the upstream; undefined stands for the host and port of the upstream itself. */
  fieldFor(head: RequestHead, requester: Requester): string | undefined {
    switch (this.setting) {
      case 'upstream':
        return undefined;
      case 'client': {
        const believed = this.believed(head, requester);
        return believed === '' ? undefined : believed;
      }
      default:
        return this.setting;
    }
  }
}

/** What a host field may say for an origin: the default port may be stated or left out. */
function namesOf(origin: string): string[] {
  const { host, port, protocol } = new URL(origin);
  return port === '' ? [host, `${host}:${DEFAULT_PORTS[protocol] ?? ''}`] : [host];
}
