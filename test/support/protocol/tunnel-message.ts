import { RELAY_HEADER } from '@relay/protocol';

import { headerOf, type WireRequest, type WireResponse } from '../attackers/man-in-the-middle.js';
import { parseMessageName, type MessageName } from './tunnel-header.js';

const SIGNED_ERROR = /^1\.error\.(?<status>\d{3})\.(?<p>[01])\./;

/** @returns undefined for anything but a tunnel request */
export function messageName(request: WireRequest): MessageName | undefined {
  return parseMessageName(headerOf(request, RELAY_HEADER));
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
