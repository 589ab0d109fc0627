import { RELAY_HEADER } from '@relay/protocol';

import { headerOf, type WireRequest, type WireResponse } from '../attackers/man-in-the-middle.js';

/** What an attacker can read in the relay header of a tunnel request. */
export interface MessageName {
  readonly sid: string;
  readonly sequence: number;
  /** The number of the message that this one replaces. */
  readonly replaces?: number;
  /** Whether the message carries a client's request; if not, it only checks the session. */
  readonly isRequest: boolean;
}

/** The one place where the tests of attacks depend on the form of the header; `r<old>` and the age may be missing. */
const TUNNEL_HEADER =
  /^1\.(?<sid>[\w-]{22})\.(?<sequence>\d+)(?:r(?<old>\d+))?(?:\.\d+)?\.(?<type>[a-z]+)\.[\w-]{22}$/;
const SIGNED_ERROR = /^1\.error\.(?<status>\d{3})\.(?<p>[01])\./;
const REQUEST_TYPES = new Set(['mke', 'mte']);

/** @returns undefined for anything but a tunnel request */
export function messageName(request: WireRequest): MessageName | undefined {
  const parts = TUNNEL_HEADER.exec(headerOf(request, RELAY_HEADER))?.groups;
  if (parts === undefined) {
    return undefined;
  }
  const { sid = '', sequence, old, type = '' } = parts;
  return {
    sid,
    sequence: Number(sequence),
    ...(old !== undefined && { replaces: Number(old) }),
    isRequest: REQUEST_TYPES.has(type),
  };
}

/** What an attacker can read in the response to a tunnel request. */
export interface ResponseSummary {
  readonly status: number;
  /** Whether the relay signed that the message was not forwarded and never will be; undefined if it signed nothing. */
  readonly isNeverForwarded?: boolean;
}

/** Reads a response without verifying it: whether it is believed is for the outbound relay to decide. */
export function summaryOf(response: WireResponse): ResponseSummary {
  const { status } = response;
  const p = SIGNED_ERROR.exec(headerOf(response, RELAY_HEADER))?.groups?.['p'];
  return p === undefined ? { status } : { status, isNeverForwarded: p === '0' };
}
