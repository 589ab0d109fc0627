/** The one place where the tests of attacks depend on the form of the header; `r<old>` and the age may be missing. */
const TUNNEL_HEADER =
  /^1\.(?<sid>[\w-]{22})\.(?<sequence>\d+)(?:r(?<old>\d+))?(?:\.\d+)?\.(?<type>[a-z]+)\.[\w-]{22}$/;
const REQUEST_TYPES = new Set(['mke', 'mte']);

/** What an attacker can read in the relay header of a tunnel request. */
export interface MessageName {
  readonly sid: string;
  readonly sequence: number;
  /** The number of the message that this one replaces. */
  readonly replaces?: number;
  /** Whether the message carries a client's request; if not, it only checks the session. */
  readonly isRequest: boolean;
}

/** @returns undefined for anything but the relay header of a tunnel request */
export function parseMessageName(relayHeader: string): MessageName | undefined {
  const parts = TUNNEL_HEADER.exec(relayHeader)?.groups;
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
