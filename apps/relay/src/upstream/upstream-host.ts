import type { RequestHead } from '@relay/protocol';

import { hostsOf } from '../directory/known-tenants.js';
import type { Requester } from './upstream-fields.js';
import type { UpstreamSettings } from './upstream-settings.js';

/**
 * Which host the upstream is told, and which of those that requesters name is believed. A peer has proved to hold the secret.
 * Anybody may use a pass-through route, under any name, and APIs choose sites and build links by what they are told: there, only
 * the names of this relay are believed.
 */
export class UpstreamHost {
  private readonly ownNames: ReadonlySet<string>;
  private readonly setting: string;

  constructor({ upstreamHost, audiences = [] }: UpstreamSettings) {
    this.setting = upstreamHost;
    this.ownNames = new Set(audiences.flatMap(hostsOf));
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
