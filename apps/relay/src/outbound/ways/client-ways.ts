import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import { OF_ENVIRONMENT, type ClientEntry } from '@relay/config';
import { CLIENT_NAME_FIELD } from '@relay/protocol';

import { wayOf, type Way } from '../../server/request-routing.js';
import { ByFields } from './by-fields.js';
import { ByListener } from './by-listener.js';
import { ByProxy } from './by-proxy.js';
import type { ClientWay } from './client-way.js';

/** Knows in which way each client addresses this relay. */
@Injectable()
export class ClientWays {
  private readonly ways: Readonly<Record<Way, ClientWay>>;

  constructor(fields: ByFields, proxy: ByProxy, listener: ByListener) {
    this.ways = { fields, proxy, listener };
  }

  /** The way of a request that was routed to the outbound role. */
  of(request: IncomingMessage): ClientWay {
    return this.ways[wayOf(request) ?? 'fields'];
  }

  /** Fields that only relays add to the request of a client. @throws LoopError */
  addedFields(request: IncomingMessage, { name }: ClientEntry): readonly string[] {
    return [
      ...(name === OF_ENVIRONMENT ? [] : [CLIENT_NAME_FIELD, name]),
      ...this.of(request).addedFields(request),
    ];
  }
}
