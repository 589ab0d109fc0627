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

/** Fills troubleshooting.html. */
export function troubleshootingPage(document: string, codes: ErrorCodes): Plugin {
  return {
    name: 'troubleshooting',
    transformIndexHtml: (html) => html.replace(PLACE, () => renderTroubleshooting(document, codes)),
  };
}
