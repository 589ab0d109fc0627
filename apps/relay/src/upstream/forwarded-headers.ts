import { type RawFields, fieldValue, variableName, withoutFields } from '@relay/fields';
import { CLIENT_ADDRESS_FIELD, CLIENT_NAME_FIELD, type RequestHead } from '@relay/protocol';

/**
 * What describes a client, as a server may read the names: also fields of this kind that relays do not make. Rack, for one, takes
 * the scheme from x-forwarded-ssl before it reads x-forwarded-proto.
 */
const DESCRIBING = /^(?:forwarded|x_forwarded(?:_.*)?)$/;
const FOR_RELAYS = [CLIENT_ADDRESS_FIELD, CLIENT_NAME_FIELD];
const FIELDS_FOR_RELAYS = new Set(FOR_RELAYS);
const DEFAULT_PORTS = { http: '80', https: '443' } as const;
const PORT = /:(\d+)$/;

/**
 * The fields of a request with those that describe its client (RFC 7239) made of what relays know: the address comes from the
 * relay that the client called, and no client can send it; scheme and host are those of the sealed head. What the client sent
 * as Forwarded or X-Forwarded-*, or under names that a server may take for these, is dropped.
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
  return [...undescribed(fields), ...made.flat()];
}

function undescribed(fields: RawFields): string[] {
  const names = fields.filter((name, at) => at % 2 === 0 && DESCRIBING.test(variableName(name)));
  return withoutFields(fields, new Set([...FOR_RELAYS, ...names]));
}

/** The fields of a request without those that are only for relays. */
export function withoutFieldsForRelays({ fields }: RequestHead): readonly string[] {
  return FOR_RELAYS.every((name) => fieldValue(fields, name) === undefined)
    ? fields
    : withoutFields(fields, FIELDS_FOR_RELAYS);
}
