import { METHODS } from 'node:http';

import { chunked, httpCase, sized, type CaseResponse, type HttpCase } from './http-case.js';

/** The methods that relays refuse: docs/http.md. */
const REFUSED = ['CONNECT', 'TRACE'];

const responseTo = (method: string): Partial<CaseResponse> =>
  method === 'HEAD' ? { body: { framing: 'none', pieces: [] } } : {};

/** Every method that Node.js accepts, without a body and with a body in either framing. */
export const METHOD_CASES: readonly HttpCase[] = METHODS.filter(
  (method) => !REFUSED.includes(method),
).flatMap((method) => {
  const response = responseTo(method);
  const known = sized('<some>body</some>');
  const unknown = chunked('<some>', 'body</some>');
  return [
    httpCase(`${method} without a body`, { method }, response),
    httpCase(`${method} with a body of known length`, { method, body: known }, response),
    httpCase(`${method} with a chunked body`, { method, body: unknown }, response),
  ];
});
