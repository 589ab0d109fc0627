import { fieldValue, type RawFields } from '@relay/fields';
import { judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import type { Requester } from './upstream-fields.js';
import { UpstreamHost } from './upstream-host.js';
import type { UpstreamSettings } from './upstream-settings.js';

const DESTINATION = 'destination';
/** Scheme and authority, without a user name, and what follows them. A reference without a scheme is none of these. */
const ABSOLUTE = /^(https?):\/\/([^/?#\\@\s]+)(?=[/?#]|$)(.*)$/i;
/** A path that a client would read as the name of a host: browsers leave tabs out. */
const LIKE_A_HOST = /^\/\t*[/\\]/;

/** Translates URLs between what the API calls itself and what its client calls it: REWRITE_LOCATION. */
export class LocationRewriter {
  private readonly own: { readonly origin: string; readonly scheme: string; readonly host: string };
  private readonly basePath: string;
  private readonly forwardedHeaders: boolean;
  private readonly host: UpstreamHost;

  constructor(settings: UpstreamSettings) {
    const { origin, protocol, host } = new URL(settings.upstreamOrigin);
    this.own = { origin, scheme: protocol.slice(0, -1), host };
    this.basePath = settings.upstreamBasePath;
    this.forwardedHeaders = settings.forwardedHeaders;
    this.host = new UpstreamHost(settings);
  }

  /**
   * A `location` or `content-location` of the API as its client can use it: a path without the base path, if it was at the origin
   * of the API. A path leads to where the client sent its request, which a relay cannot name in every case: TLS may end in front
   * of it, and anybody can claim a host. Any other reference is returned as it is.
   */
  toClient(value: string, head: RequestHead, requester: Requester): string {
    const [, scheme = '', authority = '', rest = value] = ABSOLUTE.exec(value) ?? [];
    const isOfApi =
      authority === ''
        ? this.basePath !== '' && value.startsWith('/') && !LIKE_A_HOST.test(value)
        : this.isOfApi(originOf(scheme, authority), head, requester);
    return isOfApi ? (this.belowBasePath(rest) ?? value) : value;
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
    const origin = originOf(scheme, authority);
    return origin !== '' && origin === originOf(scheme, head.authority)
      ? originOf(this.own.scheme, this.hostCalled(head, requester)) +
          this.basePath +
          withSlash(rest)
      : value;
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

  /** Whether the API may know itself by an origin: where it is, what it was called, and what FORWARDED_HEADERS told it. */
  private isOfApi(origin: string, head: RequestHead, requester: Requester): boolean {
    const { own } = this;
    const called = this.hostCalled(head, requester);
    const names = [own.origin, originOf(own.scheme, called)];
    if (this.forwardedHeaders) {
      const believed = this.host.believed(head, requester);
      names.push(originOf(head.scheme, called), originOf(head.scheme, believed));
    }
    return origin !== '' && names.includes(origin);
  }

  private hostCalled(head: RequestHead, requester: Requester): string {
    return this.host.fieldFor(head, requester) ?? this.own.host;
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
