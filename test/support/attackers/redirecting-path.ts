import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { Recorder } from '../lifecycle/recorder.js';
import type { Listening } from '../network/listen.js';
import {
  deliverTo,
  startManInTheMiddle,
  type WireRequest,
  type WireResponse,
} from './man-in-the-middle.js';

/** What happens to one message. Returns the response for its sender, or undefined to reset the sender's connection. */
export type MessageAttack = (
  message: WireRequest,
) => Promise<WireResponse | undefined> | WireResponse | undefined;

/** A path that an attacker owns: what a relay sends on it goes where the attacker wants, when and as often as it wants. */
export interface RedirectingPath extends Listening {
  /** The messages that carry a client's request, as the outbound relay sent them. */
  readonly messages: Recorder<WireRequest>;
  /** Sets the relay that everything goes to that is not attacked. */
  leadTo(origin: string): void;
  /** Sends pairings to another relay than everything else. */
  leadPairingsTo(origin: string): void;
  /** Attacks the next messages that carry a client's request, each in its own way; those after them pass unchanged. */
  attackNext(...attacks: readonly MessageAttack[]): void;
}

/** Nothing listens here: every delivery of this path names its own destination. */
const NOWHERE = 'http://127.0.0.1:9';

export async function startRedirectingPath(): Promise<RedirectingPath> {
  const attacker = await startManInTheMiddle(NOWHERE);
  const messages = new Recorder<WireRequest>();
  const attacks: MessageAttack[] = [];
  let destination = NOWHERE;
  let pairingDestination: string | undefined;
  attacker.interceptPairing((request) => deliverTo(pairingDestination ?? destination, request));
  const pass: MessageAttack = (message) => deliverTo(destination, message);
  attacker.interceptChecks(pass);
  attacker.interceptTunnel((request) => {
    messages.add(request);
    return (attacks.shift() ?? pass)(request);
  });
  return {
    port: attacker.port,
    url: attacker.url,
    close: () => attacker.close(),
    messages,
    leadTo: (origin) => {
      destination = origin;
    },
    leadPairingsTo: (origin) => {
      pairingDestination = origin;
    },
    attackNext: (...next) => {
      attacks.push(...next);
    },
  };
}

/** An attack that holds messages back and breaks the connection of their sender. */
export function holdingAttack(): { readonly held: WireRequest[]; readonly hold: MessageAttack } {
  const held: WireRequest[] = [];
  const hold: MessageAttack = (message) => {
    held.push(message);
    return undefined;
  };
  return { held, hold };
}

/** A delivery that has begun. */
export interface BegunDelivery {
  /** Delivers the last record, and collects the response. */
  readonly finish: () => Promise<WireResponse>;
}

/** Delivers a message without its last record. */
export function deliverAllButTheLastRecord(origin: string, message: WireRequest): BegunDelivery {
  const lastRecordAt = recordStarts(message.body).at(-1) ?? 0;
  const request = httpRequest(origin, {
    method: message.method,
    path: message.path,
    headers: [...message.rawHeaders, 'content-length', String(message.body.length)],
    agent: false,
  });
  const response = new Promise<WireResponse>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (received: IncomingMessage) => {
      const { statusCode = 0, rawHeaders } = received;
      buffer(received).then((body) => {
        resolve({ status: statusCode, rawHeaders, body });
      }, reject);
    });
  });
  // Whoever finishes the delivery learns that it failed.
  response.catch(() => undefined);
  request.write(message.body.subarray(0, lastRecordAt));
  return {
    finish: () => {
      request.end(message.body.subarray(lastRecordAt));
      return response;
    },
  };
}

/** Where the records of a message begin. protocol.md section 6. */
function recordStarts(body: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < body.length; at += 4 + (body.readUInt32BE(at) & 0x7fff_ffff)) {
    starts.push(at);
  }
  return starts;
}
