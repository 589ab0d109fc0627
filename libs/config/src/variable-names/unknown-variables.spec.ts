import { describe, expect, it } from 'vitest';
import { USUAL_ENVIRONMENTS } from '../../../../test/support/relays/usual-environments.js';
import { ENVIRONMENT_VARIABLES } from '../environment-variables.js';
import { FILE_VARIABLES } from '../secret-files.js';
import { unknownVariables } from './unknown-variables.js';

const meantBy = (name: string, value = 'x') =>
  unknownVariables({ [name]: value }).map(({ meant }) => meant);

describe('a variable that is probably meant for the relay', () => {
  it.each([
    ['MTE_ROUTE', 'MTE_ROUTES'],
    ['MTE_ROUETS', 'MTE_ROUTES'],
    ['mte_routes', 'MTE_ROUTES'],
    ['MTE-ROUTES', 'MTE_ROUTES'],
    ['MTE_ROUTES_FILE', 'MTE_ROUTES'],
    ['MTE_ALLOWED_ROUTES', 'MTE_ROUTES'],
    ['PASSTHROUGH_ROUTES', 'PASS_THROUGH_ROUTES'],
    ['PASS_THROUGH', 'PASS_THROUGH_ROUTES'],
    ['RELAY_AUDIENCES', 'RELAY_AUDIENCE'],
    ['RELAY_AUDIANCE', 'RELAY_AUDIENCE'],
    ['OUTBOUND_ALLOWED_UPSTREAM', 'OUTBOUND_ALLOWED_UPSTREAMS'],
    ['ALLOWED_UPSTREAMS', 'OUTBOUND_ALLOWED_UPSTREAMS'],
    ['OUTBOUND_UPSTREAMS', 'OUTBOUND_ALLOWED_UPSTREAMS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['UPSTREEM', 'UPSTREAM'],
    ['UPSTREAMS', 'UPSTREAM'],
    ['CLIENTID_SECRET', 'CLIENT_ID_SECRET'],
    ['CLIENT_ID_SECERT', 'CLIENT_ID_SECRET'],
    ['CLIENT_ID_SECRETS_FILE', 'CLIENT_ID_SECRET_FILE'],
    ['OUTBOUND_TOKENS', 'OUTBOUND_TOKEN'],
    ['HEADER', 'HEADERS'],
    ['WORKER', 'WORKERS'],
    ['NODE_EVN', 'NODE_ENV'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['REDIS_URI', 'REDIS_URL'],
    ['RETRY_UNSAFE_METHOD', 'RETRY_UNSAFE_METHODS'],
    ['SHUTDOWN_TIMEOUT', 'SHUTDOWN_TIMEOUT_MS'],
    ['SESSION_LIFETIME', 'SESSION_LIFETIME_SECONDS'],
    ['TLS_CERT', 'TLS_CERT_FILE'],
    ['RELAY_PORT', undefined],
    ['REDIS_HOST', undefined],
    ['MTE_LICENSE', undefined],
    ['MAX_SOMETHING', undefined],
  ])('is found: %s, meaning %s', (name, meant) => {
    expect(meantBy(name)).toEqual([meant]);
  });

  it('is not one that is empty, as an empty variable counts as unset', () => {
    expect(meantBy('MTE_ROUTE', '')).toEqual([]);
  });

  it('is not one with a name that nobody types, which could spoil the log', () => {
    expect(unknownVariables({ 'MTE_ROUTE\n{"level":60}': 'x', ['MTE_'.repeat(99)]: 'x' })).toEqual(
      [],
    );
  });

  it('is found in a large environment without delay', () => {
    const others = Array.from({ length: 2000 }, (_, index) => [
      `SOME_OTHER_VARIABLE_${index}`,
      'x',
    ]);
    const environment = Object.fromEntries([...others, ['MTE_ROUTE', '/a']]) as NodeJS.ProcessEnv;
    expect(unknownVariables(environment)).toEqual([{ name: 'MTE_ROUTE', meant: 'MTE_ROUTES' }]);
  });
});

describe('nothing is found', () => {
  it('among the variables of the relay and their files', () => {
    const ours = [
      ...Object.values(ENVIRONMENT_VARIABLES),
      ...FILE_VARIABLES.map((name) => `${name}_FILE`),
    ];
    expect(unknownVariables(Object.fromEntries(ours.map((name) => [name, 'x'])))).toEqual([]);
  });

  it.each(Object.entries(USUAL_ENVIRONMENTS))('in %s', (_, environment) => {
    expect(unknownVariables(environment)).toEqual([]);
  });

  it.each(['HOSTS', 'POST', 'PORTS', 'debug', 'DEBUGS', 'SORT', 'GHOST'])(
    'near the short names of the relay: %s',
    (name) => {
      expect(meantBy(name)).toEqual([]);
    },
  );
});
