import { withoutFields, withoutNamesakes, fieldValue } from '@relay/fields';
import { CLIENT_ADDRESS_FIELD, type RequestHead } from '@relay/protocol';

const MADE = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
];
const ADDRESS_FIELD = new Set([CLIENT_ADDRESS_FIELD]);
const DEFAULT_PORTS = { http: '80', https: '443' } as const;
const PORT = /:(\d+)$/;

/**
 * The fields of a request with those that describe its client (RFC 7239) made of what relays know: the address comes from the
 * relay that the client called, and no client can send it; scheme and host are those of the sealed head. What the client sent
 * under these names, or under ones that a server may take for them, is dropped.
 *
 * @param host - that the client named, as far as it is believed; empty if there is none
 */
export function withForwardedFields({ fields, scheme }: RequestHead, host: string): string[] {
  const address = fieldValue(fields, CLIENT_ADDRESS_FIELD);
  const isIpv6 = address?.startsWith('[') === true;
  const node = isIpv6 ? `"${address}"` : (address ?? 'unknown');
  const described = host === '' ? '' : `;host="${host}"`;
  const made: [string, string][] = [['forwarded', `for=${node}${described};proto=${scheme}`]];
  if (address !== undefined) {
    made.push(['x-forwarded-for', isIpv6 ? address.slice(1, -1) : address]);
  }
  if (host !== '') {
    made.push(['x-forwarded-host', host]);
    made.push(['x-forwarded-port', PORT.exec(host)?.[1] ?? DEFAULT_PORTS[scheme]]);
  }
  made.push(['x-forwarded-proto', scheme]);
  return [...withoutNamesakes(withoutFields(fields, ADDRESS_FIELD), MADE), ...made.flat()];
}

/** The fields of a request without the one that is only for relays. */
export function withoutClientAddress({ fields }: RequestHead): readonly string[] {
  return fieldValue(fields, CLIENT_ADDRESS_FIELD) === undefined
    ? fields
    : withoutFields(fields, ADDRESS_FIELD);
}
