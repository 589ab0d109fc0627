import { expect, it } from 'vitest';
import { loadConfig } from './load-config.js';

const warnings = (environment: NodeJS.ProcessEnv) =>
  loadConfig({
    UPSTREAM: 'http://localhost:3000',
    CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
    OUTBOUND_TOKEN: 'X3vB8mQz1LkT6wRn9YdC2hJp',
    REDIS_URL: 'memory://',
    OUTBOUND_ALLOWED_UPSTREAMS: 'https://relay.example',
    RELAY_AUDIENCE: 'https://this.example',
    ...environment,
  }).warnings;

it('does not warn about a sound configuration', () => {
  const CLIENT_ID_SECRET_ALT = 'Ae3Tf6Gd8Jh2Yp4cNv9Br1LwXm7tZq0k';
  const OUTBOUND_TOKEN_ALT = 'f2Wd9ZsK4hTq7XvN1bRm6LcP';
  expect(warnings({ CLIENT_ID_SECRET_ALT, OUTBOUND_TOKEN_ALT })).toEqual([]);
});

it.each([
  ['CLIENT_ID_SECRET', 'abcdefghijklmnop'],
  ['CLIENT_ID_SECRET', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ['CLIENT_ID_SECRET', 'abcdefghi'.repeat(10)],
  ['CLIENT_ID_SECRET', 'your_client_id_secret_at_least_32_characters'],
  ['CLIENT_ID_SECRET_ALT', 'abcdefghijklmnop'],
  ['OUTBOUND_TOKEN', '12345678'],
  ['OUTBOUND_TOKEN', '1234567890123456789012345678901234567890'],
  ['OUTBOUND_TOKEN', 'the-outbound-token-of-our-company'],
  ['OUTBOUND_TOKEN', 'YOUR_SECURE_OUTBOUND_ACCESS_TOKEN'],
  ['OUTBOUND_TOKEN_ALT', '12345678'],
  ['ADMIN_TOKEN', '12345678'],
])('warns once about %s=%s, suggesting openssl rand and without the value', (name, value) => {
  const [line, ...rest] = warnings({ ADMIN_PORT: '9464', [name]: value });
  expect(rest).toEqual([]);
  expect(line).toMatch(new RegExp(`^${name} .*openssl rand -base64 32$`));
  expect(line).not.toContain(value);
});

it('warns about an alternative that equals the value that it should replace', () => {
  const CLIENT_ID_SECRET = 'Ae3Tf6Gd8Jh2Yp4cNv9Br1LwXm7tZq0k';
  const OUTBOUND_TOKEN = 'f2Wd9ZsK4hTq7XvN1bRm6LcP';
  expect(warnings({ CLIENT_ID_SECRET, CLIENT_ID_SECRET_ALT: CLIENT_ID_SECRET })).toEqual([
    'CLIENT_ID_SECRET_ALT equals CLIENT_ID_SECRET: nothing rotates',
  ]);
  expect(warnings({ OUTBOUND_TOKEN, OUTBOUND_TOKEN_ALT: OUTBOUND_TOKEN })).toEqual([
    'OUTBOUND_TOKEN_ALT equals OUTBOUND_TOKEN: nothing rotates',
  ]);
});

it('warns about a token that equals the secret', () => {
  const CLIENT_ID_SECRET = 'Ae3Tf6Gd8Jh2Yp4cNv9Br1LwXm7tZq0k';
  expect(warnings({ CLIENT_ID_SECRET, OUTBOUND_TOKEN: CLIENT_ID_SECRET })).toEqual([
    'OUTBOUND_TOKEN equals CLIENT_ID_SECRET: every client can then act as a relay',
  ]);
});

it('warns about a password of the admin listener that others hold', () => {
  const OUTBOUND_TOKEN = 'f2Wd9ZsK4hTq7XvN1bRm6LcP';
  expect(warnings({ ADMIN_PORT: '9464', OUTBOUND_TOKEN, ADMIN_TOKEN: OUTBOUND_TOKEN })).toEqual([
    'ADMIN_TOKEN equals OUTBOUND_TOKEN: whoever holds one can do what the other allows',
  ]);
});

const OPEN =
  'ADMIN_TOKEN is not set: whoever reaches ADMIN_PORT can see the page and the metrics of this relay';
const ADMIN_TOKEN = 'b7Qx2Lm9Zt4Vn8Rk1Hc6Ws3P';

it.each([
  [[OPEN], { ADMIN_PORT: '9464', ADMIN_HOST: '0.0.0.0' }],
  [[OPEN], { ADMIN_PORT: '9464', ADMIN_HOST: '10.0.0.7' }],
  [[], { ADMIN_PORT: '9464', ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN }],
  [[], { ADMIN_PORT: '9464' }],
  [[], { ADMIN_PORT: '9464', ADMIN_HOST: '::1' }],
  [[], { ADMIN_PORT: '9464', ADMIN_HOST: 'localhost' }],
  [[], { ADMIN_HOST: '0.0.0.0' }],
  [['ADMIN_TOKEN has no effect, because ADMIN_PORT is not set'], { ADMIN_TOKEN }],
])('warns with %j about an admin listener with %j', (lines, environment) => {
  expect(warnings(environment)).toEqual(lines);
});

it.each([
  ['0.1', 'parentbased_always_on', true],
  ['0.1', 'parentbased_traceidratio', false],
  ['1', 'always_on', false],
])('warns about a share of %s with the sampler %s: %s', (share, sampler, isWarned) => {
  const lines = warnings({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
    OTEL_TRACES_SAMPLER: sampler,
    OTEL_TRACES_SAMPLER_ARG: share,
  });
  const line = `OTEL_TRACES_SAMPLER_ARG has no effect with OTEL_TRACES_SAMPLER=${sampler}: name a sampler by ratio`;
  expect(lines).toEqual(isWarned ? [line] : []);
});

it('warns of unlimited upstreams and of an unset audience, each on a line of its own', () => {
  const upstreams =
    'OUTBOUND_ALLOWED_UPSTREAMS is not set: a client with the token may name any host as peer';
  const audience =
    'RELAY_AUDIENCE is not set: this relay accepts what was meant for any holder of the secret';
  expect(warnings({ OUTBOUND_ALLOWED_UPSTREAMS: '' })).toEqual([upstreams]);
  expect(warnings({ RELAY_AUDIENCE: '' })).toEqual([audience]);
  expect(warnings({ OUTBOUND_ALLOWED_UPSTREAMS: '', RELAY_AUDIENCE: '' })).toEqual([
    upstreams,
    audience,
  ]);
});
