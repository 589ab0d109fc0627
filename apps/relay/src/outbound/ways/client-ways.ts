import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import { OF_ENVIRONMENT, type ClientEntry } from '@relay/config';
import { CLIENT_NAME_FIELD } from '@relay/protocol';

import { wayOf, type Way } from '../../server/request-routing.js';
import { parseEncodeOptions, WHOLLY_SEALED, type EncodeOptions } from '../encode-options.js';
import { ByFields } from './by-fields.js';
import { ByListener } from './by-listener.js';
import { ByProxy } from './by-proxy.js';
import type { ClientWay } from './client-way.js';
import { LoopDetection } from './loop-detection.js';

/**
 * Knows in which way each client addresses this relay. Whoever knows nothing of relays may pass on fields of others, so `x-mte-*`
 * mean something only to those who send a token among them.
 */
@Injectable()
export class ClientWays {
  private readonly ways: Readonly<Record<Way, ClientWay>>;

  constructor(
    fields: ByFields,
    proxy: ByProxy,
    listener: ByListener,
    private readonly loops: LoopDetection,
  ) {
    this.ways = { fields, proxy, listener };
  }

  /** The way of a request that was routed to the outbound role. */
  of(request: IncomingMessage): ClientWay {
    return this.ways[nameOf(request)];
  }

  /** What of a request is shown between the relays. @throws OptionInvalidError */
  optionsOf(request: IncomingMessage): EncodeOptions {
    return nameOf(request) === 'fields' ? parseEncodeOptions(request.headers) : WHOLLY_SEALED;
  }

  /** Fields that only relays add to the request of a client. @throws LoopError if it has been here before */
  addedFields(request: IncomingMessage, { name }: ClientEntry): readonly string[] {
    const ofClient = name === OF_ENVIRONMENT ? [] : [CLIENT_NAME_FIELD, name];
    if (nameOf(request) === 'fields') {
      return ofClient;
    }
    this.loops.refuse(request);
    return [...ofClient, ...this.loops.field];
  }
}

function nameOf(request: IncomingMessage): Way {
  return wayOf(request) ?? 'fields';
}
