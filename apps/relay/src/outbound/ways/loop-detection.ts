import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { Injectable } from '@nestjs/common';
import { rawFieldValues } from '@relay/fields';
import { RelayName } from '@relay/signature';

import { LoopError } from '../outbound.errors.js';

const VIA = 'via';

/**
 * Notices requests that come back: an API may lie behind a listener of this relay, or call it as its proxy. They carry a name of
 * this relay, which all of its workers share, and which an API passes on that only forwards. RFC 9110 section 7.6.3.
 */
@Injectable()
export class LoopDetection {
  /** By which a request is known again. */
  readonly field: readonly [name: string, value: string];
  private readonly name: string;

  constructor({ clientId }: RelayName) {
    // Hashed, because peers are told the name itself, and APIs need not be.
    const hash = createHash('sha256').update(clientId).digest('hex');
    this.name = `mte-api-relay-${hash.slice(0, 16)}`;
    this.field = [VIA, `1.1 ${this.name}`];
  }

  /** @throws LoopError if the request has been here before */
  refuse({ rawHeaders }: IncomingMessage): void {
    if (rawFieldValues(rawHeaders, VIA).some((value) => value.includes(this.name))) {
      throw new LoopError(
        'this request has been here before: the API of the peer leads back to this relay',
      );
    }
  }
}
