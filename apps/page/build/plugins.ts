import type { Plugin } from 'vite';

import type { ErrorCodes } from './error-codes.js';
import { renderTroubleshooting } from './troubleshooting.js';

const MODULE = 'virtual:error-codes';
/** By convention, other plugins leave ids that begin with this character alone. */
const RESOLVED = `\0${MODULE}`;
const PLACE = '<!-- docs/troubleshooting.md -->';

/** Gives the page what docs/operations.md says of each error code. */
export function errorCodesModule(codes: ErrorCodes): Plugin {
  return {
    name: 'error-codes',
    resolveId: (id) => (id === MODULE ? RESOLVED : undefined),
    load: (id) =>
      id === RESOLVED ? `export const ERROR_CODES = ${JSON.stringify(codes)};` : undefined,
  };
}

/**
 * Takes away the attribute that vite adds: it has browsers send `Origin` for style sheets, too, and a reverse proxy may send another host
 * in `Host`. What the page loads is of its own origin anyway.
 */
export function withoutCrossOrigin(): Plugin {
  return {
    name: 'without-crossorigin',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replaceAll(/(<(?:script|link)\b[^>]*) crossorigin\b/g, '$1'),
    },
  };
}

/** Fills troubleshooting.html. */
export function troubleshootingPage(document: string, codes: ErrorCodes): Plugin {
  return {
    name: 'troubleshooting',
    transformIndexHtml: (html) => html.replace(PLACE, () => renderTroubleshooting(document, codes)),
  };
}
