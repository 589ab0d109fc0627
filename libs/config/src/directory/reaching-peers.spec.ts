import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  loadDirectoryFile as load,
  problemsOfDirectoryFile as problemsOf,
  SECRET,
  TOKEN_HASH as HASH,
} from '../../../../test/support/relays/directory-file.js';

const PEERS = `peers:
  pay: { secret: { env: SHOP }, origins: [https://pay.example], `;
const CLIENTS = `clients:
  billing: { tokens: [{ sha256: "${HASH}" }] }
`;
const file = (keys: string) => `${PEERS}${keys} }\n${CLIENTS}`;
const listening = (keys: string) => file(`listen: { client: billing, ${keys} }`);
const twoPeers = (one: string, other: string) => `${PEERS}${one} }
  shop: { secret: { env: NEXT }, origins: [https://shop.example], ${other} }
${CLIENTS}`;
const peerOf = (yaml: string) => load(yaml).config.directory.peers[0];

describe('the hosts of a peer', () => {
  it('are in their normal form, each once', () => {
    const hosts = '[API.Pay.Example, "api.pay.example.:80", "*.Pay.Example:8080", "[0::1]"]';
    expect(peerOf(file(`hosts: ${hosts}`))?.hosts).toEqual([
      ...['api.pay.example:80', '*.pay.example:8080', '[::1]:80'],
    ]);
    expect(peerOf(file('hosts: []'))?.hosts).toBeUndefined();
  });

  it('belong to one peer in whatever spelling, and a name may be below the wildcard of another', () => {
    expect(
      problemsOf(twoPeers('hosts: [a.example, "*.b.example"]', 'hosts: ["*.B.example:80"]')),
    ).toEqual(['relay.yaml:3: peers.shop.hosts[0] is a host of peers.pay.hosts[1] too']);
    expect(
      problemsOf(twoPeers('hosts: ["*.example", a.example]', 'hosts: [b.example, "a.example:81"]')),
    ).toEqual([]);
  });

  it('are refused each by its position and without its value', () => {
    expect(problemsOf(file('hosts: [fine.example, http://canary.example, "*", 5]'))).toEqual([
      'relay.yaml:2: peers.pay.hosts[1] must be a host or host:port, without a scheme, a user name or a path, and in punycode (xn--) beyond ASCII',
      'relay.yaml:2: peers.pay.hosts[2] may have a wildcard only as "*." at the beginning, with a name behind it, such as "*.example.com"',
      'relay.yaml:2: peers.pay.hosts[3] must be text, in quotes if it looks like a number or true, false, null',
    ]);
  });

  it('are at most 1000', () => {
    const hosts = (count: number) =>
      file(`hosts: [${Array.from({ length: count }, (_, index) => `h${index}`).join(', ')}]`);
    expect(peerOf(hosts(1_000))?.hosts).toHaveLength(1_000);
    expect(problemsOf(hosts(1_001))).toEqual([
      'relay.yaml:2: peers.pay.hosts must have at most 1000 entries',
    ]);
  });

  it('need quotes before a wildcard, which a problem says', () => {
    expect(problemsOf(file('hosts: [*.pay.example]')).join()).toContain(
      'text that begins with "*" needs quotes',
    );
  });
});

describe('the listener of a peer', () => {
  it('is at an address or at a socket, which only its owner reaches unless the file says otherwise', () => {
    expect(peerOf(listening('address: "[0::1]:9101"'))?.listen).toEqual({
      at: { kind: 'tcp', host: '::1', port: 9101 },
      client: 'billing',
    });
    expect(peerOf(listening('socket: /run/relay/pay.sock'))?.listen).toEqual({
      at: { kind: 'unix', path: '/run/relay/pay.sock', mode: 0o600 },
      client: 'billing',
    });
    expect(
      peerOf(listening('socket: /pay.sock, mode: "0660", owner: "1000:4294967294"'))?.listen?.at,
    ).toEqual({
      kind: 'unix',
      path: '/pay.sock',
      mode: 0o660,
      owner: { uid: 1000, gid: 4_294_967_294 },
    });
  });

  it('has its socket in the folder of the file unless the path is absolute', () => {
    const { config } = load(listening('socket: ./run/../pay.sock'));
    const at = config.directory.peers[0]?.listen?.at;
    expect(at).toMatchObject({ path: join(dirname(config.relayConfigFile ?? ''), 'pay.sock') });
  });

  it('has a socket whose whole path has at most 107 octets', () => {
    expect(peerOf(listening(`socket: /${'ü'.repeat(53)}`))?.listen).toBeDefined();
    const tooLong =
      'relay.yaml:2: peers.pay.listen.socket must be a path of at most 107 octets, with the folder that it is relative to';
    expect(problemsOf(listening(`socket: /${'ü'.repeat(53)}a`))).toEqual([tooLong]);
    expect(problemsOf(listening(`socket: ${'a'.repeat(107)}`))).toEqual([tooLong]);
  });

  it.each([
    ['mode: 0660', 'mode must be in quotes, such as "0660": YAML makes another number of it'],
    ['mode: 0o660', 'mode must be in quotes, such as "0660": YAML makes another number of it'],
    ['mode: "0866"', 'mode must be octal permission bits in quotes, such as "0660"'],
    ['mode: "4755"', 'mode must be octal permission bits in quotes, such as "0660"'],
    ['mode: true', 'mode must be octal permission bits in quotes, such as "0660"'],
    ['owner: relay', 'owner must be "uid:gid", two numbers in quotes, such as "1000:1000"'],
    ['owner: 1000', 'owner must be "uid:gid", two numbers in quotes, such as "1000:1000"'],
    // -1 for the system, which leaves the owner as it is.
    [
      'owner: "0:4294967295"',
      'owner must be "uid:gid", two numbers in quotes, such as "1000:1000"',
    ],
    ['exposed: yes', 'exposed must be true or false'],
    ['socket2: a', 'socket2 is no key: did you mean socket?'],
  ])('with %s is refused', (key, problem) => {
    expect(problemsOf(listening(`socket: /pay.sock, ${key}`))).toEqual([
      `relay.yaml:2: peers.pay.listen.${problem}`,
    ]);
  });

  it('is refused with all of its problems at once, by line and key', () => {
    expect(
      problemsOf(`peers:
  pay:
    secret: { env: SHOP }
    origins: [https://pay.example]
    listen:
      mode: 0660
      owner: "0:0"
      address: 0.0.0.0:9101
      client: biling
  shop:
    secret: { env: NEXT }
    hosts: [shop.example]
    listen:
      address: 127.0.0.1:9101
      socket: shop.sock
      exposed: 1
${CLIENTS}`),
    ).toEqual([
      'relay.yaml:6: peers.pay.listen.mode must be in quotes, such as "0660": YAML makes another number of it',
      'relay.yaml:6: peers.pay.listen.mode is for a socket: an address has none',
      'relay.yaml:7: peers.pay.listen.owner is for a socket: an address has none',
      'relay.yaml:8: peers.pay.listen.address is not on loopback: that other machines may call the peer there needs exposed: true beside it',
      'relay.yaml:9: peers.pay.listen.client must be a name under clients: did you mean billing?',
      'relay.yaml:12: peers.shop.hosts needs origins: without any, the peer cannot be called',
      'relay.yaml:13: peers.shop.listen needs origins: without any, the peer cannot be called',
      'relay.yaml:13: peers.shop.listen.client is required',
      'relay.yaml:13: peers.shop.listen must have either the key address or the key socket',
      'relay.yaml:16: peers.shop.listen.exposed must be true or false',
    ]);
  });

  it.each([
    ['listen:', 'listen must be a mapping'],
    ['listen: 127.0.0.1:9101', 'listen must be a mapping'],
    ['listen: { client: billing }', 'listen must have either the key address or the key socket'],
    ['listen: { client: billing, address: }', 'listen.address must be text, in quotes if'],
  ])('is refused as %s', (key, problem) => {
    const lines = problemsOf(file(key));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`relay.yaml:2: peers.pay.${problem}`);
  });

  it.each([
    ['address: 127.0.0.1:9101', 'address: 127.0.0.1:9101', 'address'],
    ['address: localhost:9101', 'address: 127.0.0.1:9101', 'address'],
    ['address: "[::1]:9101"', 'address: localhost:9101', 'address'],
    ['address: "[::1]:9101"', 'address: "[0::1]:9101"', 'address'],
    ['socket: /run/a/../pay.sock', 'socket: /run/pay.sock', 'socket'],
  ])('is where no other is: %s and %s', (one, other, key) => {
    const yaml = (text: string) => `listen: { client: billing, ${text} }`;
    expect(problemsOf(twoPeers(yaml(one), yaml(other)))).toEqual([
      `relay.yaml:3: peers.shop.listen.${key} is where peers.pay.listen.${key} is too`,
    ]);
    const elsewhere = other.replace('9101', '9102').replace('/run/pay', '/run/shop');
    expect(problemsOf(twoPeers(yaml(one), yaml(elsewhere)))).toEqual([]);
  });

  it('needs origins, which may also be there and refused', () => {
    const yaml = (origins: string) => `peers:
  pay: { secret: { env: SHOP }, ${origins} listen: { client: billing, socket: a } }
${CLIENTS}`;
    const needed =
      'relay.yaml:2: peers.pay.listen needs origins: without any, the peer cannot be called';
    expect(problemsOf(yaml(''))).toEqual([needed]);
    expect(problemsOf(yaml('origins: [],'))).toEqual([needed]);
    expect(problemsOf(yaml('origins: [ftp://a],'))).toEqual([
      'relay.yaml:2: peers.pay.origins[0] must be an http or https URL',
    ]);
  });
});

describe('the client of a listener', () => {
  const withClients = (clients: string) =>
    `${PEERS}listen: { client: billing, address: 127.0.0.1:9101 } }
  shop: { secret: { env: NEXT } }
${clients}`;
  const CLIENT_KEY = 'relay.yaml:2: peers.pay.listen.client';

  it('is in the same file, not the one of the variables', () => {
    const unknown = `${CLIENT_KEY} must be a name under clients`;
    expect(problemsOf(withClients(''), { OUTBOUND_TOKEN: SECRET })).toEqual([unknown]);
    expect(problemsOf(withClients('clients: {}'))).toEqual([unknown]);
    expect(problemsOf(withClients('clients: { biling: { tokens: [] } }'))).toEqual([
      `${unknown}: did you mean biling?`,
    ]);
  });

  it('may call the peer: otherwise the key to change is named', () => {
    expect(problemsOf(withClients('clients: { billing: { tokens: [], peers: [shop] } }'))).toEqual([
      `${CLIENT_KEY} must be a client that may call the peer: add pay to clients.billing.peers`,
    ]);
    expect(problemsOf(withClients('clients: { billing: { tokens: [], peers: [pay] } }'))).toEqual(
      [],
    );
  });

  it('is not reported a second time if the client has problems of its own', () => {
    expect(problemsOf(withClients('clients: { billing: { tokens: 1, peers: [] } }'))).toEqual([
      `${CLIENT_KEY} must be a client that may call the peer: add pay to clients.billing.peers`,
      'relay.yaml:4: clients.billing.tokens must be a list of mappings',
    ]);
    expect(problemsOf(withClients('clients: { billing: }'))).toEqual([
      'relay.yaml:4: clients.billing must be a mapping',
    ]);
  });

  it('needs no token, so that an empty list of tokens causes no warning', () => {
    expect(load(withClients('clients: { billing: { tokens: [] } }')).warnings).toEqual([]);
    expect(
      load(withClients('clients: { billing: { tokens: [] }, other: { tokens: [] } }')).warnings,
    ).toEqual(['relay.yaml:4: clients.other.tokens is empty: nobody can be this client']);
  });
});

describe('a listener that other machines may reach', () => {
  it.each(['0.0.0.0:9101', '10.0.0.1:9101', '"[::]:9101"', '"[fe80::1]:9101"'])(
    'at %s says so, and causes a warning that names the client',
    (address) => {
      const needed =
        'relay.yaml:2: peers.pay.listen.address is not on loopback: that other machines may call the peer there needs exposed: true beside it';
      expect(problemsOf(listening(`address: ${address}`))).toEqual([needed]);
      expect(problemsOf(listening(`address: ${address}, exposed: false`))).toEqual([needed]);
      expect(load(listening(`address: ${address}, exposed: true`)).warnings).toEqual([
        'relay.yaml:2: peers.pay.listen.exposed is true: whoever reaches the address can call the peer as the client billing, without a token',
      ]);
    },
  );

  it('is none on loopback or at a socket: a warning says that exposed has no effect', () => {
    expect(load(listening('address: 127.0.0.1:9101, exposed: false')).warnings).toEqual([]);
    expect(load(listening('address: localhost:9101, exposed: true')).warnings).toEqual([
      'relay.yaml:2: peers.pay.listen.exposed has no effect: the address is on loopback',
    ]);
    expect(load(listening('socket: pay.sock, exposed: true')).warnings).toEqual([
      'relay.yaml:2: peers.pay.listen.exposed has no effect: no other machine reaches a socket',
    ]);
  });
});
