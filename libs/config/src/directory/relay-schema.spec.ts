import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { temporaryFolder } from '../../../../test/support/lifecycle/temporary-folder.js';
import { ConfigInvalidError } from '../config.errors.js';
import { loadConfig } from '../load-config.js';
import { ClientInFile, LimitsInFile, TokenInFile } from './file/client-in-file.js';
import { ListenInFile } from './file/listen-in-file.js';
import { PeerInFile } from './file/peer-in-file.js';
import { FileSource, SecretSource } from './file/sources.js';
import { TenantInFile, UpstreamTlsInFile } from './file/tenant-in-file.js';

interface Definition {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}

const text = readFileSync(join(import.meta.dirname, '../../../../docs/relay.schema.json'), 'utf8');
const schema = JSON.parse(text) as Definition & { readonly $defs: Record<string, Definition> };
const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

const CLASSES = {
  secretSource: SecretSource,
  fileSource: FileSource,
  peer: PeerInFile,
  listen: ListenInFile,
  token: TokenInFile,
  limits: LimitsInFile,
  client: ClientInFile,
  upstreamTls: UpstreamTlsInFile,
  tenant: TenantInFile,
};

const HASH = createHash('sha256').update('a token').digest('hex');
const PEER = 'p: { secret: { env: SECRET } }';
const TENANT = 'https://a.example: { upstream: http://api, ';
const inPeer = (keys: string) =>
  `peers: { p: { secret: { env: SECRET }, ${keys} } }\ntenants: {}\nclients: { c: { tokens: [] } }`;
const inClient = (keys: string) =>
  `peers: { ${PEER} }\nclients: { c: { tokens: [{ sha256: "${HASH}" }], ${keys} } }`;
const inToken = (keys: string) => `peers: { ${PEER} }\nclients: { c: { tokens: [{ ${keys} }] } }`;
const inHosts = (hosts: string) => inPeer(`origins: [https://b.example], hosts: ${hosts}`);
const inListen = (keys: string) =>
  inPeer(`origins: [https://b.example], listen: { client: c, ${keys} }`);
const inTenant = (keys: string) => `peers: { ${PEER} }\ntenants: { ${TENANT}${keys} } }`;

const GOOD = [
  inPeer('origins: [https://b.example, "HTTP://c.example:8080/"]'),
  inPeer('origins: []'),
  inPeer('secretAlt: { env: NEXT }'),
  inPeer('proxy: { env: PROXY }'),
  ...['auto', 'message', 'channel'].map((transport) => inPeer(`transport: ${transport}`)),
  inPeer('hosts: []'),
  inHosts(
    '[a, API.example, api.example:8080, 10.0.0.1:1, "[2001:db8::1]:65535", "*.pay.example:81"]',
  ),
  inListen('address: 127.0.0.1:9101'),
  inListen('address: 127.255.0.1:65535, exposed: false'),
  inListen('address: localhost:1, exposed: true'),
  inListen('address: "[::1]:9101"'),
  inListen('address: "[0:0:0:0:0:0:0:1]:9101"'),
  inListen('address: 0.0.0.0:9101, exposed: true'),
  inListen('address: "[2001:db8::1]:9101", exposed: true'),
  inListen('socket: /run/relay/p.sock'),
  inListen('socket: p.sock, mode: "0660", owner: "1000:0"'),
  inListen('socket: p.sock, mode: "600"'),
  inClient('peers: [p]'),
  inClient('limits: {}'),
  inClient('limits: { requestsPerSecond: 1, concurrent: 1000000 }'),
  inToken(`sha256: "${HASH.toUpperCase()}"`),
  inToken(`sha256: "${HASH}", expires: 2027-03-01`),
  inToken(`sha256: "${HASH}", expires: 2027-03-01T12:00:00+01:00`),
  inTenant('aliases: [https://b.example]'),
  inTenant('upstreamHost: client'),
  inTenant('upstreamHost: api.example:8080'),
  inTenant(
    'peers: [p], routes: [/api/*, /b], passThroughRoutes: [], corsOrigins: [https://c.example]',
  ),
  inTenant('corsMethods: [GET, VERSION-CONTROL]'),
  inTenant('headers: { X-Zone: eu }, requestHeaders: { authorization: "Basic x" }'),
  inTenant('responseHeaders: {}, forwardClient: x-mte-client'),
  `peers: { ${PEER} }\ntenants: { https://a.example: { upstream: https://api/base/v1, upstreamTls: { serverName: api.internal } } }`,
];

const BAD = [
  '',
  '[]',
  '{}',
  'peers:',
  'peers: []',
  `peer: { ${PEER} }`,
  'peers: { p: }',
  'peers: { "a b": { secret: { env: SECRET } } }',
  'peers: { "https://b.example": { secret: { env: SECRET } } }',
  'peers: { p: {} }',
  'peers: { p: { secret: inline-secret-of-a-peer } }',
  'peers: { p: { secret: {} } }',
  'peers: { p: { secret: { file: a, env: SECRET } } }',
  'peers: { p: { secret: { env: "a b" } } }',
  'peers: { p: { secret: { file: "" } } }',
  inPeer('secretAlt:'),
  inPeer('transport: AUTO'),
  inPeer('transport:'),
  inPeer('origins: https://b.example'),
  inPeer('origins: [https://b.example/path]'),
  inPeer('origins: [https://user@b.example]'),
  inPeer('origins: ["https://*.example"]'),
  inPeer('origins: [1]'),
  inPeer('proxy: http://proxy:3128'),
  inPeer('other: 1'),
  inPeer('hosts: [a]'),
  inPeer('origins: [], hosts: [a]'),
  inPeer('listen: { client: c, address: 127.0.0.1:9101 }'),
  inPeer('origins: [], listen: { client: c, address: 127.0.0.1:9101 }'),
  inHosts('a'),
  inHosts(''),
  inHosts('[http://a]'),
  inHosts('[a/b]'),
  inHosts('[a@b]'),
  inHosts('[""]'),
  inHosts('[1]'),
  inHosts('["*"]'),
  inHosts('["*."]'),
  inHosts('["*.:80"]'),
  inHosts('["*a.example"]'),
  inHosts('["a.*.example"]'),
  inHosts('["*.*.example"]'),
  inHosts('["*.10.0.0.1"]'),
  inHosts('["*.[::1]"]'),
  inHosts('[a..b]'),
  inHosts('[.a]'),
  inHosts('["a:"]'),
  inHosts('["a:0"]'),
  inHosts('["a:65536"]'),
  inHosts(`[${Array.from({ length: 1_001 }, (_, index) => `h${index}`).join(', ')}]`),
  inPeer('origins: [https://b.example], listen:'),
  inPeer('origins: [https://b.example], listen: 127.0.0.1:9101'),
  inPeer('origins: [https://b.example], listen: { address: 127.0.0.1:9101 }'),
  inPeer('origins: [https://b.example], listen: { client: c }'),
  inListen('address: 127.0.0.1:9101, socket: p.sock'),
  inListen('address: 9101'),
  inListen('address: 127.0.0.1'),
  inListen('address: 127.0.0.1:0'),
  inListen('address: 127.0.0.1:65536'),
  inListen('address: 127.1:9101'),
  inListen('address: 127.0.0.256:9101'),
  inListen('address: relay:9101, exposed: true'),
  inListen('address: "::1:9101"'),
  inListen('address: "[::ffff:127.0.0.1]:9101", exposed: true'),
  inListen('address: 0.0.0.0:9101'),
  inListen('address: 0.0.0.0:9101, exposed: false'),
  inListen('address: 0.0.0.0:9101, exposed: "true"'),
  inListen('address: "[::]:9101"'),
  inListen('address: 127.0.0.1:9101, mode: "0600"'),
  inListen('address: 127.0.0.1:9101, owner: "0:0"'),
  inListen('socket: ""'),
  inListen('socket: p.sock, mode: 0660'),
  inListen('socket: p.sock, mode: "0668"'),
  inListen('socket: p.sock, mode: "1777"'),
  inListen('socket: p.sock, owner: relay'),
  inListen('socket: p.sock, owner: 1000'),
  inListen(`socket: /${'a'.repeat(107)}`),
  inListen('socket: p.sock, other: 1'),
  'clients: { c: {} }',
  'clients: { c: { tokens: { sha256: a } } }',
  inClient('peers: p'),
  inClient('peers: [https://b.example]'),
  inClient('limits: { concurrent: 0 }'),
  inClient('limits: { concurrent: 1.5 }'),
  inClient('limits: { concurrent: "5" }'),
  inClient('limits: { requestsPerSecond: 1000001 }'),
  inClient('limits: []'),
  inToken('sha256: abc'),
  inToken('sha256: 1234567812345678123456781234567812345678123456781234567812345678'),
  inToken(`sha256: "${HASH}", expires: tomorrow`),
  inToken(`sha256: "${HASH}", expires: 2027-03-01T12:00`),
  inToken(`sha256: "${HASH}", expires: 2027`),
  inToken('expires: 2027-03-01'),
  `tenants: { a.example: { upstream: http://api } }`,
  `tenants: { https://a.example/base: { upstream: http://api } }`,
  `tenants: { https://a.example: {} }`,
  `tenants: { https://a.example: { upstream: api:8080 } }`,
  `tenants: { https://a.example: { upstream: "http://api/?a" } }`,
  inTenant('upstreamHost: ""'),
  inTenant('routes:'),
  inTenant('routes: /api'),
  inTenant('routes: [api]'),
  inTenant('corsMethods: [get]'),
  inTenant('headers: { x-zone: 1 }'),
  inTenant('headers: { "x zone": a }'),
  inTenant('headers: []'),
  inTenant('forwardClient: "x client"'),
  inTenant('forwardClient: true'),
  inTenant('upstreamTls: { cert: { file: a } }'),
  inTenant('upstreamTls: { ca: a }'),
  inTenant('upstreamTls: { ca: { env: A } }'),
  inTenant('upstreamTls: { serverName: "a b" }'),
];

let path: string;

beforeEach(async () => {
  path = join(forThisTest(await temporaryFolder()).path, 'relay.yaml');
});

const isLoaded = (yaml: string): boolean => {
  writeFileSync(path, yaml);
  try {
    loadConfig({
      REDIS_URL: 'memory://',
      RELAY_CONFIG_FILE: path,
      SECRET: '2DkV4DDabehO8cifDktdF9elKJL0CKrk',
      NEXT: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
      PROXY: 'http://proxy.example:3128',
    });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalidError);
    return false;
  }
};

describe('docs/relay.schema.json', () => {
  it.each(Object.entries(CLASSES))('has exactly the keys of the class of %s', (name, type) => {
    expect(Object.keys(schema.$defs[name]!.properties).sort()).toEqual(
      Object.keys(new type()).sort(),
    );
  });

  it('has the parts of a directory', () => {
    expect(Object.keys(schema.properties)).toEqual(['peers', 'clients', 'tenants']);
  });

  it.each(GOOD)('accepts what the relay accepts: %s', (yaml) => {
    expect({ schema: validate(parse(yaml)), relay: isLoaded(yaml) }).toEqual({
      schema: true,
      relay: true,
    });
  });

  it.each(BAD)('refuses what the relay refuses: %s', (yaml) => {
    expect({ schema: validate(parse(yaml)), relay: isLoaded(yaml) }).toEqual({
      schema: false,
      relay: false,
    });
  });
});
