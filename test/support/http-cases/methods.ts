import { METHODS } from 'node:http';

import { chunked, httpCase, sized, type CaseResponse, type HttpCase } from './http-case.js';

/** What no relay carries: docs/http.md. */
const REFUSED = ['CONNECT', 'TRACE'];

const answerTo = (method: string): Partial<CaseResponse> =>
  method === 'HEAD' ? { body: { framing: 'none', pieces: [] } } : {};

/** Every method that Node.js reads, without a body and with one in either framing. */
export const METHOD_CASES: readonly HttpCase[] = METHODS.filter(
  (method) => !REFUSED.includes(method),
).flatMap((method) => {
  const answer = answerTo(method);
  const known = sized('<some>body</some>');
  const unknown = chunked('<some>', 'body</some>');
  return [
    httpCase(`${method} without a body`, { method }, answer),
    httpCase(`${method} with a body of known length`, { method, body: known }, answer),
    httpCase(`${method} with a chunked body`, { method, body: unknown }, answer),
  ];
});
