import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { PAIR_PATH, RELAY_HEADER } from '@relay/protocol';

import { listen, type Listening } from '../network/listen.js';
import { parseMessageName } from '../protocol/tunnel-header.js';
import { Recorder } from '../lifecycle/recorder.js';

/** A complete request between two relays, as an attacker on the path sees it. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn, without framing fields. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** A response between two relays. */
export interface WireResponse {
  readonly status: number;
  /** Names and values in turn, without framing fields. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/**
 * What the attacker does with a request. Returns the response for the sender, or undefined to reset its connection.
 * `deliver` passes a request, this one or another, to the relay behind the attacker.
 */
export type Interception = (
  request: WireRequest,
  deliver: (request: WireRequest) => Promise<WireResponse>,
) => Promise<WireResponse | undefined> | WireResponse | undefined;

/** An attacker on the path between two relays, who reads, keeps, changes and replaces whole HTTP messages. */
export interface ManInTheMiddle extends Listening {
  /** Requests as the outbound relay sent them, in order. */
  readonly requests: Recorder<WireRequest>;
  /** The messages among `requests`: tunnel requests without the checks of sessions. */
  readonly tunnelRequests: () => WireRequest[];
  /** Sets how messages are treated from now on; undefined passes them unchanged. */
  interceptTunnel(interception: Interception | undefined): void;
  /** Sets how checks of sessions are treated from now on; undefined passes them unchanged. */
  interceptChecks(interception: Interception | undefined): void;
  /** Sets how pairing requests are treated from now on; undefined passes them unchanged. */
  interceptPairing(interception: Interception | undefined): void;
  /** Sends a request to the relay behind the attacker; may be called repeatedly. */
  deliver(request: WireRequest): Promise<WireResponse>;
}

const FRAMING = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive']);

/** @param inbound - origin of the relay behind the attacker */
export async function startManInTheMiddle(inbound: string): Promise<ManInTheMiddle> {
  const requests = new Recorder<WireRequest>();
  const deliver = (request: WireRequest): Promise<WireResponse> => deliverTo(inbound, request);
  const untouched: Interception = (request, pass) => pass(request);
  let tunnel = untouched;
  let check = untouched;
  let pairing = untouched;
  const interceptionOf = (request: WireRequest): Interception =>
    ({ tunnel, check, pairing })[kindOf(request)];

  const server = createServer({ requestTimeout: 0 }, (message, response) => {
    const serve = async (): Promise<void> => {
      const request = await wireRequestOf(message);
      requests.add(request);
      const result = await interceptionOf(request)(request, deliver);
      if (result === undefined) {
        message.socket.resetAndDestroy();
        return;
      }
      const isFramed = result.rawHeaders.includes('transfer-encoding');
      const length = isFramed ? [] : ['content-length', String(result.body.length)];
      response.writeHead(result.status, [...result.rawHeaders, ...length]);
      response.end(result.body);
    };
    // A connection that fails on one side is reset on the other.
    serve().catch(() => message.socket.resetAndDestroy());
  });
  return {
    ...(await listen(server)),
    requests,
    tunnelRequests: () => requests.items.filter((request) => kindOf(request) === 'tunnel'),
    interceptTunnel: (interception = untouched) => {
      tunnel = interception;
    },
    interceptChecks: (interception = untouched) => {
      check = interception;
    },
    interceptPairing: (interception = untouched) => {
      pairing = interception;
    },
    deliver,
  };
}

/** The value of a header. */
export function headerOf({ rawHeaders }: WireRequest | WireResponse, name: string): string {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at === -1 ? '' : (rawHeaders[at + 1] ?? '');
}

/** A copy with another value for a header, or without the header if the value is undefined. */
export function withHeader<T extends WireRequest | WireResponse>(
  message: T,
  name: string,
  value: string | undefined,
): T {
  const others = withoutNames(message.rawHeaders, new Set([name]));
  return { ...message, rawHeaders: value === undefined ? others : [...others, name, value] };
}

/** Sends one complete request and collects the complete response. @param host - what it states as its host */
export function deliverTo(
  origin: string,
  wire: WireRequest,
  host = new URL(origin).host,
): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const own = ['host', host, 'content-length', String(wire.body.length)];
    const request = httpRequest(origin, {
      method: wire.method,
      path: wire.path,
      headers: [...withoutNames(wire.rawHeaders, new Set(['host'])), ...own],
      agent: false,
    });
    request.once('response', (message: IncomingMessage) => {
      buffer(message).then((body) => {
        const rawHeaders = withoutNames(message.rawHeaders, FRAMING);
        resolve({ status: message.statusCode ?? 0, rawHeaders, body });
      }, reject);
    });
    request.once('error', reject);
    request.end(wire.body);
  });
}

function kindOf(request: WireRequest): 'tunnel' | 'check' | 'pairing' {
  if (request.path === PAIR_PATH) {
    return 'pairing';
  }
  const name = parseMessageName(headerOf(request, RELAY_HEADER));
  return name?.isRequest === false ? 'check' : 'tunnel';
}

async function wireRequestOf(message: IncomingMessage): Promise<WireRequest> {
  return {
    method: message.method ?? '',
    path: message.url ?? '',
    rawHeaders: withoutNames(message.rawHeaders, FRAMING),
    body: await buffer(message),
  };
}

function withoutNames(rawHeaders: readonly string[], names: ReadonlySet<string>): string[] {
  return rawHeaders.filter((_, at) => {
    const name = rawHeaders[at - (at % 2)] ?? '';
    return !names.has(name.toLowerCase());
  });
}
