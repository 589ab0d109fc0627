import { rawFieldValues } from '@relay/fields';
import type { RequestHead } from '@relay/protocol';

import { LocationRewriter } from './location-rewriter.js';
import type { Requester } from './upstream-fields.js';
import type { UpstreamSettings } from './upstream-settings.js';

const DESTINATION = 'destination';
/** Without a host, or with a backslash or a blank in it, servers differ in where the path begins: then none is taken off. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\\s]+(?=[/?#]|$)/i;

/**
 * Every path that a request asks the API to act on: its own, and those to which WebDAV moves and copies (RFC 4918 section 10.3).
 * Limits on paths apply to all of them.
 */
export class RequestedPaths {
  private readonly basePath: string;
  private readonly locations: LocationRewriter | undefined;

  constructor(settings: UpstreamSettings) {
    this.basePath = settings.upstreamBasePath;
    this.locations = settings.rewriteLocation ? new LocationRewriter(settings) : undefined;
  }

  /** @returns the paths without the base path; undefined for a destination that is not below it */
  of(head: RequestHead, requester: Requester): (string | undefined)[] {
    const destinations = rawFieldValues(head.fields, DESTINATION).map((url) =>
      this.pathOf(this.locations?.toUpstream(url, head, requester) ?? url),
    );
    return [head.path, ...destinations];
  }

  /**
   * The path of a destination as the API receives it. What follows a question mark counts as path, because a destination has no
   * query, and some servers do not take one off.
   */
  private pathOf(destination: string): string | undefined {
    const path = destination.replace(ORIGIN, '').replaceAll('?', '%3F');
    if (this.basePath === '') {
      return path;
    }
    return path.startsWith(`${this.basePath}/`) ? path.slice(this.basePath.length) : undefined;
  }
}
