import { describe, expect, it } from 'vitest';
import type { ConfigInvalidError } from './config.errors.js';
import { loadConfig } from './load-config.js';

const SOUND = {
  UPSTREAM: 'http://localhost:3000',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'X3vB8mQz1LkT6wRn9YdC2hJp',
  REDIS_URL: 'memory://',
  OUTBOUND_ALLOWED_UPSTREAMS: 'https://relay.example',
  RELAY_AUDIENCE: 'https://this.example',
};

const warningsWith = (environment: NodeJS.ProcessEnv) =>
  loadConfig({ ...SOUND, ...environment }).warnings;

const problemsWith = (environment: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadConfig({ ...SOUND, ...environment });
    return [];
  } catch (error) {
    return (error as ConfigInvalidError).problems;
  }
};

const NODE_ENV = 'production';

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
  const line = expect.stringMatching(/^NODE_TLS_REJECT_UNAUTHORIZED must not be 0/) as string;

  it('is refused in production, and causes a warning elsewhere', () => {
    expect(problemsWith({ ...environment, NODE_ENV })).toEqual([line]);
    expect(warningsWith(environment)).toEqual([line]);
  });

  it('is what Node.js understands: other values verify certificates and are accepted', () => {
    for (const NODE_TLS_REJECT_UNAUTHORIZED of ['1', '', 'false', '00']) {
      expect(problemsWith({ NODE_TLS_REJECT_UNAUTHORIZED, NODE_ENV })).toEqual([]);
      expect(warningsWith({ NODE_TLS_REJECT_UNAUTHORIZED })).toEqual([]);
    }
  });
});

describe('an unknown variable', () => {
  it('causes a warning with the variable that was probably meant, in production as well', () => {
    const lines = [
      'LOGLEVEL is not a variable of the relay: did you mean LOG_LEVEL?',
      'REDIS_HOST is not a variable of the relay',
    ];
    const environment = { LOGLEVEL: 'canary', REDIS_HOST: 'canary' };
    expect(warningsWith(environment)).toEqual(lines);
    expect(warningsWith({ ...environment, NODE_ENV })).toEqual(lines);
  });

  it.each([
    ['MTE_ROUTE', 'MTE_ROUTES'],
    ['PASSTHROUGH_ROUTES', 'PASS_THROUGH_ROUTES'],
    ['RELAY_AUDIENCES', 'RELAY_AUDIENCE'],
    ['OUTBOUND_ALLOWED_UPSTREAM', 'OUTBOUND_ALLOWED_UPSTREAMS'],
  ])('that should have closed something is refused in production: %s', (typed, meant) => {
    const environment = { [typed]: 'canary', [meant]: '' };
    const line = `${typed} is not a variable of the relay: did you mean ${meant}, which is not set?`;
    expect(problemsWith({ ...environment, NODE_ENV })).toEqual([line]);
    expect(warningsWith(environment)).toContain(line);
  });

  it('beside the variable that was meant leaves nothing open, and causes a warning', () => {
    expect(warningsWith({ RELAY_AUDIENCES: 'canary', NODE_ENV })).toEqual([
      'RELAY_AUDIENCES is not a variable of the relay: did you mean RELAY_AUDIENCE?',
    ]);
  });

  it('is named together with the required variable that is missing', () => {
    expect(problemsWith({ UPSTREAM: '', UPSTREEM: 'canary', LOGLEVEL: 'canary' })).toEqual([
      'UPSTREAM is required',
      'UPSTREEM is not a variable of the relay: did you mean UPSTREAM?',
    ]);
  });

  it.each([
    ['RELAY_CONFIG', 'RELAY_CONFIG_FILE'],
    ['DOMAINMAP', 'DOMAIN_MAP'],
    ['DOMAINS_MAP_FILE', 'DOMAIN_MAP_FILE'],
  ])('is named where %s would have taken the place of what is missing', (typed, meant) => {
    expect(problemsWith({ UPSTREAM: '', [typed]: 'canary' })).toEqual([
      'UPSTREAM is required',
      `${typed} is not a variable of the relay: did you mean ${meant}?`,
    ]);
  });
});
