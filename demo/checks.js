/** What has to be true of every step; a difference ends the demo with a line that names it. */

const PREFIX_OF_RELAY_FIELDS = 'x-mte-';

export function must(isTrue, difference) {
  if (!isTrue) throw new Error(difference);
}

export function mustEqual(what, actual, expected) {
  must(actual === expected, `${what} is ${actual}, expected ${expected}`);
}

/** @returns what `work` resolves to, unless that takes too long */
export async function within(limitMs, what, work) {
  let timer;
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

/** The upstream has to get the client's request, and nothing that belongs to the relays. */
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
  const strange = received.rawHeaders.find(
    (text, at) => at % 2 === 0 && text.toLowerCase().startsWith(PREFIX_OF_RELAY_FIELDS),
  );
  must(strange === undefined, `the upstream received the field ${strange}`);
}

export function requestLineOf({ method, path }) {
  return `${method} ${path} HTTP/1.1`;
}

/** All values of a field, in their order. */
export function valuesOf(rawHeaders, name) {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1].toLowerCase() === name);
}

const valueOf = (rawHeaders, name) => valuesOf(rawHeaders, name).join(' + ');
