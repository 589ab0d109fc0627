import { describe, expect, it } from 'vitest';

import {
  loadDirectoryFile as load,
  problemsOfDirectoryFile as problemsOf,
  SECRET,
  TOKEN_HASH as HASH,
} from '../../../../test/support/relays/directory-file.js';

const BOTH_ROLES = `peers: { shop: { secret: { env: SHOP } } }
clients: { c: { tokens: [{ sha256: "${HASH}" }] } }
tenants: { https://a.example: { upstream: http://a } }
`;

describe('what identifies an entry', () => {
  const SHOP = 'shop: { secret: { env: SHOP }';

  it('is not shared: a secret, an origin, a token and an audience belong to one', () => {
    expect(
      problemsOf(`peers:
  ${SHOP}, origins: [https://b.example] }
  other: { secret: { env: NEXT }, secretAlt: { env: SHOP }, origins: [https://B.example:443] }
clients:
  a: { tokens: [{ sha256: "${HASH}" }] }
  b: { tokens: [{ sha256: "${HASH.toUpperCase()}" }] }
tenants:
  https://a.example: { upstream: http://a }
  https://b.example: { upstream: http://a, aliases: [https://A.example:443] }
`),
    ).toEqual([
      'relay.yaml:3: peers.other.secretAlt is the secret of peers.shop.secret too',
      'relay.yaml:3: peers.other.origins[0] is an origin of peers.shop.origins[0] too',
      'relay.yaml:6: clients.b.tokens[0].sha256 is the token of clients.a.tokens[0].sha256 too',
      'relay.yaml:9: tenants["https://b.example"].aliases[0] is an audience of tenants["https://a.example"] too',
    ]);
  });

  it('is refused as a weak secret in production, and causes a warning elsewhere', () => {
    const yaml = `peers: { ${SHOP} } }\nclients: { c: { tokens: [] } }`;
    const weak = 'abcdefghijklmnop';
    expect(load(yaml, { SHOP: weak }).warnings.join()).toContain(
      'relay.yaml:1: peers.shop.secret has an estimated entropy',
    );
    const problems = problemsOf(yaml, { SHOP: weak, NODE_ENV: 'production' }).join();
    expect(problems).toContain('relay.yaml:1: peers.shop.secret has an estimated entropy');
    expect(problems).not.toContain(weak);
  });

  it('is not in the file and in a variable: both are named', () => {
    expect(
      problemsOf(BOTH_ROLES, {
        CLIENT_ID_SECRET: SECRET,
        OUTBOUND_TOKEN: SECRET,
        MTE_ROUTES: '/a',
      }),
    ).toEqual([
      'relay.yaml:1: peers must not be there together with the variable CLIENT_ID_SECRET',
      'relay.yaml:2: clients must not be there together with the variable OUTBOUND_TOKEN',
      'relay.yaml:3: tenants must not be there together with the variable MTE_ROUTES',
    ]);
  });
});

describe('a part that the file lacks', () => {
  const PEERS = 'peers: { shop: { secret: { env: SHOP } } }\n';
  const TENANTS = 'tenants: { https://a.example: { upstream: http://a } }\n';

  it('comes from its variables, and is off without them', () => {
    expect(load(PEERS + TENANTS).config.directory.clients).toEqual([]);
    expect(
      load(PEERS + TENANTS, { OUTBOUND_TOKEN: SECRET }).config.directory.clients,
    ).toMatchObject([{ name: '' }]);
  });

  it('must not be both roles, nor every peer', () => {
    const noPeer = 'relay.yaml:1: there is no peer: add one under peers, or set CLIENT_ID_SECRET';
    expect(problemsOf(TENANTS)).toEqual([noPeer]);
    expect(problemsOf(PEERS)).toEqual([
      'relay.yaml:1: there is neither a client nor a tenant: add one under clients or tenants, or set OUTBOUND_TOKEN or UPSTREAM',
    ]);
  });

  it('is not one that is empty, as after its last entry was removed', () => {
    const unused =
      'relay.yaml:1: there is neither a client nor a tenant: nobody may call this relay';
    expect(load(`${PEERS}clients: {}`).warnings).toEqual([unused]);
    expect(load(`${PEERS}tenants: {}`).warnings).toEqual([unused]);
    expect(
      load(`peers: {}\n${TENANTS.replace('upstream', 'peers: [], upstream')}`).warnings,
    ).toEqual(['relay.yaml:1: there is no peer: this relay reaches none, and none may enter']);
    expect(problemsOf(`${PEERS}clients:`)).toEqual([
      'relay.yaml:2: clients must be a mapping of names to entries, or {} if there are none',
    ]);
  });
});

it('a file causes no warning about a variable that it makes unnecessary', () => {
  expect(load(BOTH_ROLES).warnings).toEqual([]);
});
