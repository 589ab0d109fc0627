/** The `clients` of a RELAY_CONFIG_FILE. Everything else in it stays as it is, comments included. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';

/** @import { Document, Pair } from 'yaml' */

/**
 * A token in a file.
 *
 * @typedef {object} FileToken
 * @property {string} sha256
 * @property {string} [expires]
 */

/**
 * A client in a file, as far as it is used here.
 *
 * @typedef {object} FileClient
 * @property {FileToken[]} tokens
 * @property {string[]} [peers] - all, if undefined
 * @property {{ requestsPerSecond?: number, concurrent?: number }} [limits]
 */

/**
 * Reads a file. Whether what it says is valid is for the relay to decide.
 *
 * @param {string} path
 * @returns {Document}
 * @throws {Error} if it cannot be read, or is not YAML
 */
export function readDocument(path) {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const [error] = document.errors;
  if (error !== undefined) {
    throw new Error(`${path} is not YAML: ${error.message}`);
  }
  return /** @type {Document} */ (/** @type {unknown} */ (document));
}

/**
 * The text of a file.
 *
 * @param {Document} document
 */
export function textOf(document) {
  // JSON is one flow collection: what is added to it has quotes as well.
  const isJson = isMap(document.contents) && document.contents.flow === true;
  return document.toString({
    // Long lines stay as they are.
    lineWidth: 0,
    ...(isJson && { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }),
  });
}

/**
 * All clients, by name.
 *
 * @param {Document} document
 * @returns {[string, FileClient][]}
 */
export function listClients(document) {
  return clientsOf(document).items.map((pair) => {
    const client = mapOf(pair);
    tokensOf(client);
    return [nameOf(pair), client.toJS(document)];
  });
}

/**
 * Adds a token, and its client if that is new.
 *
 * @param {Document} document
 * @param {string} name
 * @param {FileToken} token
 * @returns {number} how many tokens the client has now
 */
export function addToken(document, name, { sha256, expires }) {
  const digest = new Scalar(sha256);
  digest.type = Scalar.QUOTE_DOUBLE;
  const token = new YAMLMap();
  token.set('sha256', digest);
  if (expires !== undefined) {
    token.set('expires', expires);
  }
  const { items } = tokensOf(clientOf(document, name) ?? createClient(document, name));
  items.push(token);
  return items.length;
}

/**
 * Removes a client, and all of its tokens with it.
 *
 * @param {Document} document
 * @param {string} name
 * @throws {Error} if there is none of this name, or if a listener needs it: the relay would refuse the file, and the tokens
 *   would go on being accepted
 */
export function removeClient(document, name) {
  const { items } = clientsOf(document);
  const at = items.findIndex((pair) => nameOf(pair) === name);
  if (at === -1) {
    throw new Error(`there is no client ${name}`);
  }
  const [peer] = peersListeningFor(document, name);
  if (peer !== undefined) {
    throw new Error(
      `the listener of the peer ${peer} is for ${name}: remove peers.${peer}.listen first, or one token after the other with --token`,
    );
  }
  items.splice(at, 1);
}

/**
 * Removes one token of several, or the only one of a client that listeners are for.
 *
 * @param {Document} document
 * @param {string} name
 * @param {string} digits - the first of its SHA-256
 * @throws {Error} if no token begins with them, if several do, or if it is the only one of the client
 */
export function removeToken(document, name, digits) {
  const client = clientOf(document, name);
  if (client === undefined) {
    throw new Error(`there is no client ${name}`);
  }
  const { items } = tokensOf(client);
  const found = items.filter(
    (item) => isMap(item) && String(item.get('sha256')).toLowerCase().startsWith(digits),
  );
  if (found.length !== 1) {
    throw new Error(
      `--token must name one token of ${name}, but the SHA-256 of ${found.length} begins with ${digits}`,
    );
  }
  if (items.length === 1 && peersListeningFor(document, name).length === 0) {
    throw new Error(
      `this is the only token of ${name}: add another one first, or leave out --token to remove the client`,
    );
  }
  items.splice(items.indexOf(found[0]), 1);
}

/**
 * @param {Document} document
 * @returns {YAMLMap}
 */
function clientsOf(document) {
  const { contents } = document;
  if (!isNothing(contents) && !isMap(contents)) {
    throw new Error('the file must have keys such as clients');
  }
  const clients = isMap(contents) ? contents.get('clients', true) : undefined;
  if (isMap(clients)) {
    return clients;
  }
  if (!isNothing(clients)) {
    throw new Error('clients must have the names of clients as keys');
  }
  const created = new YAMLMap();
  document.set('clients', created);
  return created;
}

/**
 * The peers whose listeners are for a client.
 *
 * @param {Document} document
 * @param {string} name
 * @returns {string[]}
 */
function peersListeningFor(document, name) {
  // Every alias of a value is the same object, however many there are.
  const peers = document.toJS({ maxAliasCount: -1 })?.peers ?? {};
  return Object.keys(peers).filter((peer) => peers[peer]?.listen?.client === name);
}

/**
 * @param {Document} document
 * @param {string} name
 */
function clientOf(document, name) {
  const pair = clientsOf(document).items.find((one) => nameOf(one) === name);
  return pair === undefined ? undefined : mapOf(pair);
}

/**
 * @param {Document} document
 * @param {string} name
 */
function createClient(document, name) {
  const client = new YAMLMap();
  clientsOf(document).set(name, client);
  return client;
}

/**
 * @param {YAMLMap} client
 * @returns {YAMLSeq}
 */
function tokensOf(client) {
  const tokens = client.get('tokens', true);
  if (isSeq(tokens)) {
    return tokens;
  }
  if (!isNothing(tokens)) {
    throw new Error('the tokens of a client must be a list');
  }
  const created = new YAMLSeq();
  client.set('tokens', created);
  return created;
}

/** @param {Pair} pair */
const nameOf = ({ key }) => String(isScalar(key) ? key.value : key);

/**
 * @param {Pair} pair
 * @returns {YAMLMap}
 */
function mapOf(pair) {
  if (!isMap(pair.value)) {
    throw new Error(`the client ${nameOf(pair)} must have keys such as tokens`);
  }
  return pair.value;
}

/** @param {unknown} node */
function isNothing(node) {
  return node === undefined || node === null || (isScalar(node) && node.value === null);
}
