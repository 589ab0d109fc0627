import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';

import { Injectable } from '@nestjs/common';
import { RelayError } from '@relay/errors';
import { rawFieldValues } from '@relay/fields';
import {
  CHANNEL_PATH,
  CHANNEL_SUBPROTOCOL,
  CLIENT_ID_HEADER,
  OUTER_CACHE_CONTROL,
  RELAY_HEADER,
  SALT_BYTES,
  formatChannelHeader,
  isResponseHeader,
  type ChannelType,
} from '@relay/protocol';
import type { SignedError } from '@relay/signature';
import { WebSocket, type ClientOptions } from 'ws';

import type { SpanEnd } from '../traces/tracer.js';
import { Traces } from '../traces/traces.js';
import { WEB_SOCKET_OPTIONS } from '../channels/web-socket-options.js';
import { UnsignedStatusError, meansUnreached } from './intermediary-response.js';
import type { PeerAddress } from './peer-address.js';
import { signedFailure, unconnected } from './peer-failure.js';
import { ownCallAttributes } from './own-call.js';
import { PeerOrigins } from './peer-origin.js';
import type { SequenceReservation } from './peer-session.js';
import { connectionThrough } from './proxied-socket.js';
import { PeerProxies } from './peer-proxies.js';
import { guardedLookup } from './refused-addresses.js';

/** Within this time the peer must have accepted the handshake, whatever it sends in the meantime. protocol.md section 11.1. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
const SWITCHING_PROTOCOLS = 101;

/** A connection that the peer has accepted as a channel. */
export interface AcceptedChannel {
  readonly socket: WebSocket;
  /** `x-mte-relay` of the opening and of its response, from which the keys are derived. */
  readonly relayHeader: string;
  readonly responseHeader: string;
}

/** Why a channel was not opened. */
export type OpeningFailure =
  /** The peer has signed an error for this opening. */
  | { readonly kind: 'signed-error'; readonly signedError: SignedError; readonly cause: Error }
  /** There was no connection to the peer, or something in front of it does not reach it. */
  | { readonly kind: 'unreached'; readonly cause: Error }
  /** Something on the path carries no WebSockets. */
  | { readonly kind: 'no-channels'; readonly cause: Error };

/** There is a connection to the peer, and the opening has had no response in time. */
export class OpeningTimeoutError extends Error {}

/** Opens the connections of channels. protocol.md section 11.1. */
@Injectable()
export class ChannelOpener {
  private readonly options: ClientOptions;
  private readonly lookup: LookupFunction | undefined;

  constructor(
    peerOrigins: PeerOrigins,
    private readonly proxies: PeerProxies,
    private readonly traces: Traces,
  ) {
    this.lookup = peerOrigins.areListed ? undefined : guardedLookup;
    this.options = {
      ...WEB_SOCKET_OPTIONS,
      followRedirects: false,
      // What is sealed needs no mask to hide from intermediaries, and zeros cost no copy.
      generateMask: (mask) => mask.fill(0),
      ...(this.lookup === undefined ? {} : { lookup: this.lookup }),
    };
  }

  /**
   * Sends one opening, which consumes the reserved number. It never rejects.
   *
   * @param onAccepted - called in the turn in which the peer has accepted, so that no record is missed
   * @returns why the channel was not opened, or undefined if it was
   */
  async open(
    address: PeerAddress,
    reservation: SequenceReservation,
    type: ChannelType,
    onAccepted: (accepted: AcceptedChannel) => void,
  ): Promise<OpeningFailure | undefined> {
    const call = this.traces.call(
      'GET',
      address.origin,
      ownCallAttributes(address, `opening ${type}`),
    );
    const failure = await this.send(address, reservation, type, onAccepted);
    call?.end(failure === undefined ? { status: SWITCHING_PROTOCOLS } : spanEndOf(failure));
    return failure;
  }

  private send(
    { origin, known }: PeerAddress,
    { session, sequence, ageSeconds }: SequenceReservation,
    type: ChannelType,
    onAccepted: (accepted: AcceptedChannel) => void,
  ): Promise<OpeningFailure | undefined> {
    const fields = { sid: session.sid, sequence, ageSeconds, type };
    const relayHeader = formatChannelHeader(fields, randomBytes(SALT_BYTES));
    const clientIdHeader = known.sign(relayHeader);
    const route = this.proxies.routeTo(origin, known.entry.proxy);
    const isSecure = origin.startsWith('https:');
    const limit = AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS);
    let isConnected = false;
    const socket = new WebSocket(
      origin.replace(/^http/, 'ws') + CHANNEL_PATH,
      CHANNEL_SUBPROTOCOL,
      {
        ...this.options,
        ...(route === undefined
          ? {}
          : { createConnection: connectionThrough(route, isSecure, this.lookup, limit) }),
        finishRequest: (request) => {
          request.once('socket', (connection) => {
            isConnected = !connection.connecting;
            connection.once('connect', () => {
              isConnected = true;
            });
          });
          request.end();
        },
        headers: {
          [RELAY_HEADER]: relayHeader,
          [CLIENT_ID_HEADER]: clientIdHeader,
          'cache-control': OUTER_CACHE_CONTROL,
        },
      },
    );
    return new Promise((settle) => {
      const resolve = (failure: OpeningFailure | undefined): void => {
        clearTimeout(timer);
        settle(failure);
      };
      const timer = setTimeout(() => {
        resolve(
          isConnected
            ? { kind: 'no-channels', cause: new OpeningTimeoutError('no response in time') }
            : { kind: 'unreached', cause: new Error('no connection in time') },
        );
        socket.terminate();
      }, HANDSHAKE_TIMEOUT_MS);
      let responseHeader: string | undefined;
      socket.once('upgrade', (response) => {
        responseHeader = singleRelayHeader(response);
      });
      socket.once('open', () => {
        if (responseHeader !== undefined && isResponseHeader(responseHeader)) {
          socket.removeAllListeners();
          onAccepted({ socket, relayHeader, responseHeader });
          resolve(undefined);
        } else {
          socket.terminate();
          const cause = new Error('the 101 does not have the header of a relay');
          resolve({ kind: 'no-channels', cause });
        }
      });
      socket.on('error', (cause: Error & { readonly code?: string }) => {
        // An error without a code is one of the handshake: no response in time, or a wrong one.
        resolve({ kind: cause.code === undefined ? 'no-channels' : 'unreached', cause });
      });
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        const { statusCode: status = 0 } = response;
        const header = singleRelayHeader(response);
        const signedError =
          header === undefined
            ? undefined
            : known.verifyError(clientIdHeader, session.keys, header, status);
        if (signedError !== undefined) {
          const cause = new Error(`the other relay signed an error with status ${status}`);
          resolve({ kind: 'signed-error', signedError, cause });
        } else {
          const cause = new UnsignedStatusError(
            status,
            rawFieldValues(response.rawHeaders, 'server')[0],
          );
          resolve({ kind: meansUnreached(status) ? 'unreached' : 'no-channels', cause });
        }
      });
    });
  }
}

/**
 * The failure that it means if an accepted channel ends before its peer has proved to have the keys.
 *
 * @param cause - whether the connection was lost, or used in a way in which no relay uses it
 */
export function neverOpen(cause: Error & { readonly code?: string }): OpeningFailure {
  const isMisused = cause instanceof RelayError || cause.code?.startsWith('WS_') === true;
  return { kind: isMisused ? 'no-channels' : 'unreached', cause };
}

/** What the span of an opening says that has failed. */
function spanEndOf(failure: OpeningFailure): SpanEnd {
  const { kind, cause } = failure;
  const attributes = { 'mte.opening_failure': kind };
  switch (kind) {
    case 'signed-error': {
      const { signedError } = failure;
      return {
        status: signedError.status,
        code: signedFailure(signedError, 'no').code,
        attributes,
      };
    }
    case 'unreached': {
      const code = unconnected(cause, 'no')?.code ?? 'RELAY_PEER_UNREACHABLE';
      return { status: unsignedStatusOf(cause), code, attributes };
    }
    case 'no-channels': {
      const isLate = cause instanceof OpeningTimeoutError;
      const code = isLate ? 'RELAY_PEER_TIMEOUT' : 'RELAY_CHANNEL_UNAVAILABLE';
      return { status: unsignedStatusOf(cause), code, attributes };
    }
  }
}

function unsignedStatusOf(cause: Error): number | undefined {
  return cause instanceof UnsignedStatusError ? cause.status : undefined;
}

function singleRelayHeader({ rawHeaders }: IncomingMessage): string | undefined {
  const [value, another] = rawFieldValues(rawHeaders, RELAY_HEADER);
  return another === undefined ? value : undefined;
}
