import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

import { isAuthority } from '@relay/fields';
import { HeadInvalidError, type RequestHead } from '@relay/protocol';

import { rawTargetOf } from '../server/request-routing.js';

/** What a request asks for. */
export type RequestTarget = Pick<RequestHead, 'scheme' | 'authority' | 'path'>;

/**
 * The scheme of the connection, path and query of the target, and whom it is addressed to: an authority in the target takes
 * precedence over the host field, which must be valid nevertheless. RFC 9112 sections 3.2 and 3.2.2.
 *
 * @throws HeadInvalidError
 */
export function requestTarget(request: IncomingMessage): RequestTarget {
  const host = authorityOf(request.headers.host ?? '', 'host');
  const target = rawTargetOf(request);
  // No client states its own scheme: the API may be told of it.
  const scheme = request.socket instanceof TLSSocket ? 'https' : 'http';
  const [absolute, authority = ''] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
  if (absolute === undefined) {
    return { scheme, authority: host, path: target };
  }
  if (authority === '') {
    throw new HeadInvalidError('the request target does not name a host');
  }
  const rest = target.slice(absolute.length);
  return {
    scheme,
    authority: authorityOf(authority, 'the request target'),
    path: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

/** RFC 3986 allows a colon without a port, which means the same as none: section 6.2.3. */
function authorityOf(text: string, where: string): string {
  const authority = text.endsWith(':') ? text.slice(0, -1) : text;
  if (text !== '' && !isAuthority(authority)) {
    throw new HeadInvalidError(
      `${where} does not have a host name or IP address with an optional port`,
    );
  }
  return authority;
}
