import type { RelayConfig } from '@relay/config';
import { fieldValue, type RawFields } from '@relay/fields';
import { judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import type { Requester } from './upstream-fields.js';
import { UpstreamHost } from './upstream-host.js';

const DESTINATION = 'destination';
/** Scheme and authority, without a user name, and what follows them. A reference without a scheme is none of these. */
const ABSOLUTE = /^(https?):\/\/([^/?#\\@\s]+)(?=[/?#]|$)(.*)$/i;
/** A path that a client would read as the name of a host. */
const LIKE_A_HOST = /^\/[/\\]/;

/** Translates URLs between what the API calls itself and what its client calls it: REWRITE_LOCATION. */
export class LocationRewriter {
  private readonly upstreamOrigin: string;
  private readonly basePath: string;
  private readonly host: UpstreamHost;

  constructor(config: RelayConfig) {
    this.upstreamOrigin = config.upstreamOrigin;
    this.basePath = config.upstreamBasePath;
    this.host = new UpstreamHost(config);
  }

  /**
   * A `location` or `content-location` of the API as its client can use it: at the client's origin if it was at that of the API,
   * and without the base path. Any other reference is returned as it is. A host that is not believed is not repeated to the
   * client: it receives a path, which leads to the same place.
   */
  toClient(value: string, head: RequestHead, requester: Requester): string {
    const [, scheme = '', authority = '', rest = value] = ABSOLUTE.exec(value) ?? [];
    const isAbsolute = authority !== '';
    const isOfApi = isAbsolute
      ? this.apiOrigins(head, requester).includes(originOf(scheme, authority))
      : this.basePath !== '' && value.startsWith('/') && !LIKE_A_HOST.test(value);
    const path = isOfApi ? this.belowBasePath(rest) : undefined;
    if (path === undefined) {
      return value;
    }
    const believed = this.host.believed(head, requester);
    return isAbsolute && believed !== '' ? `${head.scheme}://${believed}${path}` : path;
  }

  /**
   * A `destination` of a client (RFC 4918) as the API can use it: at the origin that the API was called by if it was at the
   * client's, with the base path. The scheme is not compared, because TLS may end before the relay.
   */
  toUpstream(value: string, head: RequestHead, requester: Requester): string {
    const [, scheme = '', authority = '', rest = value] = ABSOLUTE.exec(value) ?? [];
    if (authority === '') {
      const isPath = value.startsWith('/') && !LIKE_A_HOST.test(value);
      return isPath ? this.basePath + value : value;
    }
    const isOfClient =
      head.authority !== '' && originOf(scheme, authority) === originOf(scheme, head.authority);
    const origin = this.apiOrigins(head, requester).at(-1) ?? '';
    return isOfClient ? `${origin}${this.basePath}${withSlash(rest)}` : value;
  }

  /** The fields of a request with every `destination` rewritten. */
  inFields(fields: RawFields, head: RequestHead, requester: Requester): RawFields {
    return fieldValue(fields, DESTINATION) === undefined
      ? fields
      : fields.map((text, at) =>
          at % 2 === 1 && fields[at - 1] === DESTINATION
            ? this.toUpstream(text, head, requester)
            : text,
        );
  }

  /** The origins under which the API may know itself: where it is, and, last, as what it was called. */
  private apiOrigins(head: RequestHead, requester: Requester): string[] {
    const { protocol } = new URL(this.upstreamOrigin);
    const host = this.host.fieldFor(head, requester);
    const called = host === undefined ? this.upstreamOrigin : originOf(protocol.slice(0, -1), host);
    return [this.upstreamOrigin, called];
  }

  /** The path without the base path; undefined if it is outside, or if a client might read it as something else. */
  private belowBasePath(path: string): string | undefined {
    const { basePath } = this;
    const isBelow = path.startsWith(basePath) && /^(?:[/?#]|$)/.test(path.slice(basePath.length));
    if (!isBelow || (basePath !== '' && judgePath(path).refusal !== undefined)) {
      return undefined;
    }
    const inner = withSlash(path.slice(basePath.length));
    return LIKE_A_HOST.test(inner) ? undefined : inner;
  }
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** In normal form: lower case, no default port. Empty if it is none. */
function originOf(scheme: string, authority: string): string {
  const url = `${scheme}://${authority}`;
  return URL.canParse(url) ? new URL(url).origin : '';
}
