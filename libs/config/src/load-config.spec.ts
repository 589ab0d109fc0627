import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TRACE_DEFAULTS } from '../../../test/support/relays/trace-defaults.js';
import { ConfigInvalidError } from './config.errors.js';
import { ENVIRONMENT_VARIABLES } from './environment-variables.js';
import { loadConfig } from './load-config.js';

const REQUIRED = {
  UPSTREAM: 'http://localhost:3000',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'token-of-28-characters-long!',
  REDIS_URL: 'memory://',
};
const load = (environment: NodeJS.ProcessEnv = {}) => loadConfig({ ...REQUIRED, ...environment });
const problems = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigInvalidError) {
      return error.problems;
    }
    throw error;
  }
  return [];
};
const problemsWith = (environment: NodeJS.ProcessEnv) => problems(() => load(environment));

describe('defaults', () => {
  it('come from the class if only the required variables are set', () => {
    expect(load().config).toEqual({
      directory: expect.any(Object) as unknown,
      upstream: 'http://localhost:3000',
      upstreamHost: 'upstream',
      clientIdSecret: REQUIRED.CLIENT_ID_SECRET,
      clientIdSecretAlt: undefined,
      clientId: undefined,
      outboundToken: REQUIRED.OUTBOUND_TOKEN,
      outboundTokenAlt: undefined,
      redisUrl: 'memory://',
      redisPrefix: 'mte:',
      ...TRACE_DEFAULTS,
      redisCommandTimeoutMs: 800,
      port: 8080,
      host: '0.0.0.0',
      debug: false,
      logLevel: 'info',
      forwardedHeaders: false,
      headers: [],
      requestHeaders: [],
      responseHeaders: [],
      noProxy: [],
      passThroughRoutes: [],
      corsOrigins: undefined,
      corsMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      relayAudience: undefined,
      sessionLifetimeSeconds: 3600,
      sessionMaxMessages: 262_143,
      retryUnsafeMethods: true,
      rewriteLocation: false,
      tunnelTransport: 'auto',
      channelsPerPeer: 2,
      maxChannelsPerPeer: 16,
      channelLifetimeSeconds: 600,
      channelBufferBytes: 268_435_456,
      upgradeProtocols: ['websocket'],
      maxUpgradedConnections: 10_000,
      maxConcurrentRequests: 5000,
      maxPassThroughRequests: 500,
      maxPairingsPerMinute: 300,
      connectTimeoutMs: 5000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      shutdownTimeoutMs: 15_000,
      shutdownDelayMs: 0,
      adminPort: undefined,
      adminHost: '127.0.0.1',
      adminAllowedHosts: [],
      workers: 1,
      nodeEnv: '',
    });
  });

  it('are used for every optional variable that is empty', () => {
    const empty = Object.fromEntries(
      Object.values(ENVIRONMENT_VARIABLES).map((name) => [name, '']),
    );
    expect(loadConfig({ ...empty, ...REQUIRED }).config).toEqual(load().config);
  });

  it('together with the required variables, set exactly the properties that have a variable', () => {
    const names = ['directory', ...Object.keys(ENVIRONMENT_VARIABLES)];
    expect(new Set(Object.keys(load().config))).toEqual(new Set(names));
  });
});

describe('problems', () => {
  it('name every required variable that is missing or empty', () => {
    const missing = Object.keys(REQUIRED).map((name) => `${name} is required`);
    expect(problems(() => loadConfig({}))).toEqual(missing);
    expect(
      problemsWith({ UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '', REDIS_URL: '' }),
    ).toEqual(missing);
  });

  it('are reported together, one line each', () => {
    const lines = problemsWith({
      UPSTREAM: 'ftp://host',
      PORT: '12x',
      DEBUG: 'yes',
      LOG_LEVEL: 'loud',
      CLIENT_ID: 'a b',
      HOST: 'a b',
      HEADERS: '{"host":"a","te":"b"}',
      MTE_ROUTES: '/a,b',
    });
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'UPSTREAM',
      'CLIENT_ID',
      'PORT',
      'HOST',
      'DEBUG',
      'LOG_LEVEL',
      'HEADERS',
      'HEADERS',
      'MTE_ROUTES',
    ]);
    expect(lines.join('')).not.toContain('\n');
  });

  it('name each field that HEADERS and one of its variants both set, in whatever punctuation', () => {
    expect(
      problemsWith({
        HEADERS: '{"x-a":"1","x-b":"2","x-c":"3"}',
        REQUEST_HEADERS: '{"X_A":"4","x-d":"5","x-b":"6"}',
        RESPONSE_HEADERS: '{"x-c":"7","x-d":"8"}',
      }),
    ).toEqual([
      'REQUEST_HEADERS must not set x_a, which HEADERS sets',
      'REQUEST_HEADERS must not set x-b, which HEADERS sets',
      'RESPONSE_HEADERS must not set x-c, which HEADERS sets',
    ]);
  });

  it('of HEADERS are not reported as those of another variable', () => {
    const problem = 'must be a JSON object of string values';
    expect(problemsWith({ HEADERS: '[]', REQUEST_HEADERS: '{"a":"1"}' })).toEqual([
      `HEADERS ${problem}`,
    ]);
    expect(problemsWith({ HEADERS: '{"a":"1"}', REQUEST_HEADERS: '[]' })).toEqual([
      `REQUEST_HEADERS ${problem}`,
    ]);
  });

  it('are reported in an error with a stable code and without a cause', () => {
    const error = new ConfigInvalidError(['PORT is odd']);
    expect(error).toMatchObject({ code: 'RELAY_CONFIG_INVALID', name: 'ConfigInvalidError' });
    expect(error.cause).toBeUndefined();
  });

  it('never contain the value of a variable', () => {
    const canary = 'cAnArY';
    const bad = [
      ` ${canary}-with-blanks `,
      `${canary}\u0000 $value`,
      `http://user:${canary}@host`,
      `redis://:${canary}@`,
      `{"authorization":"${canary}\\n","te":"${canary}","x":["${canary}"]}`,
      `{"${canary} $value":"${canary}"`,
    ];
    for (const value of bad) {
      const all = Object.values(ENVIRONMENT_VARIABLES).map((name) => [name, value]);
      try {
        loadConfig(Object.fromEntries(all) as NodeJS.ProcessEnv);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigInvalidError);
        const { problems: lines, message, stack } = error as ConfigInvalidError;
        expect([...lines, message, stack].join('\n')).not.toContain(canary);
      }
    }
  });
});

describe('integer variables', () => {
  it.each(['12x', '1e3', '0x10', '-1', '+1', '1.5', ' 80', '080', '65536', 'NaN', '9'.repeat(400)])(
    'refuse PORT=%j',
    (PORT) => {
      expect(problemsWith({ PORT })).toEqual(['PORT must be an integer from 0 to 65535']);
    },
  );

  it.each([
    ['PORT', 0, 65_535],
    ['REDIS_COMMAND_TIMEOUT_MS', 50, 10_000],
    ['SESSION_LIFETIME_SECONDS', 300, 86_400],
    ['SESSION_MAX_MESSAGES', 1, 1_048_575],
    ['CONNECT_TIMEOUT_MS', 1, 600_000],
    ['RESPONSE_TIMEOUT_MS', 1, 3_600_000],
    ['IDLE_TIMEOUT_MS', 0, 3_600_000],
    ['SHUTDOWN_TIMEOUT_MS', 1, 600_000],
  ])('keep %s between %i and %i', (name, min, max) => {
    const rule = [`${name} must be an integer from ${min} to ${max}`];
    expect(problemsWith({ [name]: `${min}` })).toEqual([]);
    expect(problemsWith({ [name]: `${max}` })).toEqual([]);
    expect(problemsWith({ [name]: `${min - 1}` })).toEqual(rule);
    expect(problemsWith({ [name]: `${max + 1}` })).toEqual(rule);
  });
});

describe('boolean variables', () => {
  it('accept true and false', () => {
    expect(load({ DEBUG: 'false', RETRY_UNSAFE_METHODS: 'false' }).config).toMatchObject({
      debug: false,
      retryUnsafeMethods: false,
    });
    expect(load({ DEBUG: 'true' }).config.debug).toBe(true);
  });

  it.each(['TRUE', '1', '0', 'yes', ' true'])('refuse %j', (DEBUG) => {
    expect(problemsWith({ DEBUG })).toEqual(['DEBUG must be true or false']);
  });
});

describe('a configuration', () => {
  it('is frozen, down to each header field', () => {
    const { config, warnings } = load({
      HEADERS: '{"X-A":"1"}',
      REQUEST_HEADERS: '{"X-B":"1"}',
      PASS_THROUGH_ROUTES: '/a',
      OUTBOUND_ALLOWED_UPSTREAMS: 'http://b',
    });
    const parts = [
      ...[config, warnings, config.passThroughRoutes],
      ...[config.headers, config.headers[0], config.requestHeaders, config.requestHeaders[0]],
    ];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(() => Object.assign(config, { debug: true })).toThrow(TypeError);
    expect(() => Object.assign(config.headers[0]!, { 1: '2' })).toThrow(TypeError);
  });

  it('shares no objects with the next configuration', () => {
    const [one, other] = [load({ PORT: '1' }).config, load().config];
    expect(one.port).toBe(1);
    expect(other.port).toBe(8080);
    expect(one.headers).not.toBe(other.headers);
  });
});

describe('the default source', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'relay-config-'));
    vi.spyOn(process, 'cwd').mockReturnValue(directory);
    for (const name of Object.values(ENVIRONMENT_VARIABLES)) {
      vi.stubEnv(name, undefined);
    }
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  const writeEnvFile = (variables: Record<string, string>) => {
    const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
    writeFileSync(join(directory, '.env'), `\uFEFF${lines.join('')}`);
  };

  it('is only the environment if there is no .env', () => {
    Object.entries(REQUIRED).forEach(([name, value]) => vi.stubEnv(name, value));
    expect(loadConfig().config).toEqual(load().config);
  });

  it('includes .env, over which the environment takes precedence', () => {
    writeEnvFile({ ...REQUIRED, PORT: '1', HOST: '::1', HEADERS: '{"a":"b # c"}' });
    vi.stubEnv('PORT', '2');
    vi.stubEnv('HOST', '');
    expect(loadConfig().config).toMatchObject({
      upstream: 'http://localhost:3000',
      port: 2,
      host: '0.0.0.0',
      headers: [['a', 'b # c']],
    });
    expect(process.env['UPSTREAM']).toBeUndefined();
  });

  it('is refused with one line if .env cannot be read', () => {
    mkdirSync(join(directory, '.env'));
    expect(problems(() => loadConfig())).toEqual(['.env cannot be read (EISDIR)']);
  });

  it('is not read if an environment is passed', () => {
    writeEnvFile({ ...REQUIRED, PORT: '1' });
    expect(load().config.port).toBe(8080);
  });
});
