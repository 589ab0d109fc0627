/** What every step of the demo must fulfil. A difference ends the demo with a line that names it. */

/** @import { DemoRequest } from './exchange.js' */
/** @import { Report } from './upstream.js' */

const PREFIX_OF_RELAY_FIELDS = 'x-mte-';

/**
 * @param {boolean} isTrue
 * @param {string} difference - the message of the error that is thrown if `isTrue` is false
 * @returns {asserts isTrue}
 */
export function must(isTrue, difference) {
  if (!isTrue) {
    throw new Error(difference);
  }
}

/**
 * @template T
 * @param {string} what
 * @param {T} actual
 * @param {T} expected
 */
export function mustEqual(what, actual, expected) {
  must(actual === expected, `${what} is ${actual}, expected ${expected}`);
}

/**
 * Waits for `work`, but no longer than the limit.
 *
 * @template T
 * @param {number} limitMs
 * @param {string} what - names the work in the error
 * @param {Promise<T>} work
 * @returns {Promise<T>} the result of `work`
 */
export async function within(limitMs, what, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} took longer than ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Checks that the upstream received the client's request, and nothing that belongs to the relays.
 *
 * @param {DemoRequest} request
 * @param {Report} received
 * @param {string} upstreamOrigin
 */
export function checkReceived(request, received, upstreamOrigin) {
  mustEqual('the request line at the upstream', received.requestLine, requestLineOf(request));
  mustEqual(
    'the host at the upstream',
    valueOf(received.rawHeaders, 'host'),
    new URL(upstreamOrigin).host,
  );
  mustEqual('the body at the upstream', received.sha256, request.sha256);
  for (const [name, value] of Object.entries(request.headers)) {
    if (name !== 'host' && !name.startsWith(PREFIX_OF_RELAY_FIELDS)) {
      mustEqual(`the field ${name} at the upstream`, valueOf(received.rawHeaders, name), value);
    }
  }
  const unexpected = received.rawHeaders.find(
    (text, at) => at % 2 === 0 && text.toLowerCase().startsWith(PREFIX_OF_RELAY_FIELDS),
  );
  must(unexpected === undefined, `the upstream received the field ${unexpected}`);
}

/** @param {{ method: string, path: string }} request */
export function requestLineOf({ method, path }) {
  return `${method} ${path} HTTP/1.1`;
}

/**
 * All values of a field, in the order in which they were sent.
 *
 * @param {string[]} rawHeaders - names and values in turn, as Node.js lists them
 * @param {string} name - in lower case
 */
export function valuesOf(rawHeaders, name) {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/**
 * @param {string[]} rawHeaders
 * @param {string} name
 */
const valueOf = (rawHeaders, name) => valuesOf(rawHeaders, name).join(' + ');
