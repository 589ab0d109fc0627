import { randomBytes } from 'node:crypto';

import {
  CLIENT_ID_HEADER,
  MessageOpener,
  MessageSealer,
  PAIR_PATH,
  PROTOCOL_VERSION,
  PairingInitiator,
  RELAY_HEADER,
  TUNNEL_PATH,
  decodeResponseHead,
  deriveProof,
  deriveRequestKey,
  deriveResponseKey,
  deriveSecretKeys,
  encodeRequestHead,
  formatChannelHeader,
  formatTunnelHeader,
  type ChannelType,
  type PairedSession,
  type RequestHead,
  type ResponseHead,
  type SecretKeys,
  type TunnelRequestType,
} from '@relay/protocol';
import { signSender, verifyError, type SignedError } from '@relay/signature';

import { deliverTo, headerOf, type WireResponse, type WireRequest } from './man-in-the-middle.js';
import { SECRET } from '../relays/relay.js';

const CLIENT_ID = 'protocol-client';

/** The parts of a message; those left out are what an outbound relay could send. */
export interface MessageSpec {
  readonly head?: Partial<RequestHead>;
  /** The contents of the data records. */
  readonly body?: readonly (Buffer | string)[];
  readonly type?: TunnelRequestType;
  readonly sequence?: number;
  /** The number of the message that this one replaces. */
  readonly replaces?: number;
  /** How long ago the session was paired, in seconds, if not the true age. */
  readonly ageSeconds?: number;
}

/** A sealed request, with the header that is needed to open its response. */
export interface SealedMessage extends WireRequest {
  readonly relayHeader: string;
  /** The body, split into records. */
  readonly records: readonly Buffer[];
}

/** The parts of an opening; those left out are what an outbound relay could send. */
export interface OpeningSpec {
  readonly type?: ChannelType;
  readonly sequence?: number;
  readonly ageSeconds?: number;
}

/** A client that holds the secret and speaks the protocol directly, so it can send what no outbound relay would. */
export class ProtocolClient {
  private lastSequence = 0;

  private constructor(
    readonly origin: string,
    readonly secretKeys: SecretKeys,
    readonly session: PairedSession,
    private readonly pairedAtMs: number,
    private readonly clientId = CLIENT_ID,
  ) {}

  /** Pairs with the relay at `origin`. @param audience - the origin that it asks for, if it is another one */
  static async pair(origin: string, secret = SECRET, audience = origin): Promise<ProtocolClient> {
    const secretKeys = await deriveSecretKeys(secret);
    const { request, initiator } = await pairingRequest(audience, secretKeys);
    const response = await deliverTo(origin, request);
    const pairedAtMs = performance.now();
    const clientIdHeader = headerOf(request, CLIENT_ID_HEADER);
    const session = await initiator.complete(clientIdHeader, response.body, secretKeys);
    return new ProtocolClient(origin, secretKeys, session, pairedAtMs);
  }

  /**
   * Somebody who has learned all about the session of this one, and signs with other keys.
   *
   * @param clientId - the name that they sign as
   */
  stolenBy(secretKeys: SecretKeys, clientId = this.clientId): ProtocolClient {
    const { origin, session, pairedAtMs } = this;
    const thief = new ProtocolClient(origin, secretKeys, session, pairedAtMs, clientId);
    thief.lastSequence = this.lastSequence;
    return thief;
  }

  /** Seals a request, under the next sequence number unless `spec` sets another. */
  seal(spec: MessageSpec = {}): SealedMessage {
    const { head, body = [], type = 'mke', replaces, ageSeconds = this.ageSeconds() } = spec;
    const sequence = spec.sequence ?? (this.lastSequence += 1);
    const { sid } = this.session;
    const fields = { sid, sequence, replaces, ageSeconds, type };
    const relayHeader = formatTunnelHeader(fields, randomBytes(16));
    const sealer = new MessageSealer(deriveRequestKey(this.session.keys, relayHeader));
    const headBytes = encodeRequestHead({
      method: 'POST',
      scheme: 'http',
      authority: '',
      path: '/protocol',
      fields: [],
      ...head,
    });
    const records = [sealer.sealHead(headBytes, body.length === 0)];
    body.forEach((content, at) => {
      records.push(sealer.sealData(Buffer.from(content as string), at === body.length - 1));
    });
    return { ...this.signed(relayHeader, Buffer.concat(records)), relayHeader, records };
  }

  /** The `x-mte-relay` of an opening, under the next sequence number unless `spec` sets another. */
  openingHeader(spec: OpeningSpec = {}): string {
    const { type = 'chan', ageSeconds = this.ageSeconds() } = spec;
    const sequence = spec.sequence ?? (this.lastSequence += 1);
    const { sid } = this.session;
    return formatChannelHeader({ sid, sequence, ageSeconds, type }, randomBytes(16));
  }

  /** A tunnel request with a valid signature over `relayHeader`, which may itself be invalid. */
  signed(relayHeader: string, body: Buffer): WireRequest {
    const sender = signSender(this.secretKeys, this.clientId, relayHeader, { purpose: 'tunnel' });
    const rawHeaders = [RELAY_HEADER, relayHeader, CLIENT_ID_HEADER, sender];
    return { method: 'POST', path: TUNNEL_PATH, rawHeaders, body };
  }

  /** How long ago the pairing response was received. */
  ageSeconds(): number {
    return Math.floor((performance.now() - this.pairedAtMs) / 1000);
  }

  deliver(request: WireRequest): Promise<WireResponse> {
    return deliverTo(this.origin, request);
  }

  /** The signed error in a response to `request`, or undefined if the response is not a signed error. */
  signedErrorOf(request: WireRequest, response: WireResponse): SignedError | undefined {
    const clientIdHeader = headerOf(request, CLIENT_ID_HEADER);
    const relayHeader = headerOf(response, RELAY_HEADER);
    const proof = deriveProof(this.session.keys);
    return verifyError(this.secretKeys, clientIdHeader, relayHeader, response.status, proof);
  }

  /** Opens a sealed response. Throws if the response cannot be opened. */
  open(message: SealedMessage, response: WireResponse): { head: ResponseHead; body: Buffer } {
    const relayHeader = headerOf(response, RELAY_HEADER);
    const key = deriveResponseKey(this.session.keys, message.relayHeader, relayHeader);
    const opener = new MessageOpener(key);
    const [head, ...data] = opener.push(response.body);
    opener.finish();
    return {
      head: decodeResponseHead(head?.content ?? Buffer.alloc(0)),
      body: Buffer.concat(data.map(({ content }) => content)),
    };
  }
}

/** A valid pairing request of a relay that holds this secret. */
export async function pairingRequest(
  audience: string,
  secretKeys: SecretKeys,
  unixMs = Date.now(),
  clientId = CLIENT_ID,
): Promise<{ readonly request: WireRequest; readonly initiator: PairingInitiator }> {
  const initiator = await PairingInitiator.begin(audience, unixMs);
  const request = signedPairing(initiator.requestBody, secretKeys, clientId);
  return { request, initiator };
}

/** A pairing request with a valid signature over `body`, which may itself be invalid. */
export function signedPairing(
  body: Buffer,
  secretKeys: SecretKeys,
  clientId = CLIENT_ID,
): WireRequest {
  const sender = signSender(secretKeys, clientId, PROTOCOL_VERSION, { purpose: 'pair', body });
  const rawHeaders = [RELAY_HEADER, PROTOCOL_VERSION, CLIENT_ID_HEADER, sender];
  return { method: 'POST', path: PAIR_PATH, rawHeaders, body };
}
