import { describe, expect, it } from 'vitest';
import { logFormatFor } from './log-format.js';
import { loadConfig } from './load-config.js';

const load = (environment: NodeJS.ProcessEnv) =>
  loadConfig({
    UPSTREAM: 'http://localhost:3000',
    CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
    OUTBOUND_TOKEN: 'token-of-28-characters-long!',
    REDIS_URL: 'memory://',
    ...environment,
  }).config;

describe('the effective log level', () => {
  it('is LOG_LEVEL if DEBUG is false', () => {
    expect(load({ LOG_LEVEL: 'silent' }).effectiveLogLevel).toBe('silent');
  });

  it('is debug if DEBUG is true, whatever LOG_LEVEL is', () => {
    expect(load({ LOG_LEVEL: 'error', DEBUG: 'true' }).effectiveLogLevel).toBe('debug');
  });
});

describe('the format of the log', () => {
  const ofTerminal = { isTTY: true };

  it('is for people only at a terminal, and not in production', () => {
    expect(logFormatFor(load({}), ofTerminal)).toBe('pretty');
    expect(logFormatFor(load({}), { isTTY: false })).toBe('json');
    const NODE_ENV = 'production';
    const strong = { NODE_ENV, OUTBOUND_TOKEN: 'X3vB8mQz1LkT6wRn9YdC2hJp' };
    expect(logFormatFor(load(strong), ofTerminal)).toBe('json');
  });

  it('is LOG_FORMAT wherever it goes', () => {
    expect(logFormatFor(load({ LOG_FORMAT: 'pretty' }), { isTTY: false })).toBe('pretty');
    expect(logFormatFor(load({ LOG_FORMAT: 'json' }), ofTerminal)).toBe('json');
  });

  it('is refused if it is no format', () => {
    expect(() => load({ LOG_FORMAT: 'logfmt' })).toThrow(
      expect.objectContaining({ problems: ['LOG_FORMAT must be one of json, pretty'] }) as Error,
    );
  });
});

describe('list variables', () => {
  it('are read as normalised origins without duplicates', () => {
    const list = 'HTTPS://Relay.Example:443/, http://10.0.0.1:8080,https://relay.example';
    const config = load({ OUTBOUND_ALLOWED_UPSTREAMS: list, RELAY_AUDIENCE: list });
    expect(config.outboundAllowedUpstreams).toEqual([
      'https://relay.example',
      'http://10.0.0.1:8080',
    ]);
    expect(config.relayAudience).toEqual(config.outboundAllowedUpstreams);
  });

  it('are read as routes in the given order', () => {
    const config = load({ PASS_THROUGH_ROUTES: '/health, /public/*', MTE_ROUTES: '/*' });
    expect(config.passThroughRoutes).toEqual(['/health', '/public/*']);
    expect(config.mteRoutes).toEqual(['/*']);
  });

  it('are refused with the position of each invalid entry', () => {
    expect(() => load({ MTE_ROUTES: '/a,,b' })).toThrow(
      expect.objectContaining({
        problems: [
          'MTE_ROUTES entry 2 must begin with "/"',
          'MTE_ROUTES entry 3 must begin with "/"',
        ],
      }),
    );
  });
});

it('CLIENT_ID is used as it is, and is optional', () => {
  expect(load({ CLIENT_ID: 'relay-a_1' }).clientId).toBe('relay-a_1');
  expect(load({}).clientId).toBeUndefined();
  expect(() => load({ CLIENT_ID: 'a'.repeat(65) })).toThrow();
});

describe('the variables of channels', () => {
  it.each([
    ['CHANNELS_PER_PEER', 'channelsPerPeer', 1, 64],
    ['MAX_CHANNELS_PER_PEER', 'maxChannelsPerPeer', 1, 10_000],
    ['CHANNEL_LIFETIME_SECONDS', 'channelLifetimeSeconds', 10, 86_400],
    ['CHANNEL_BUFFER_BYTES', 'channelBufferBytes', 2 ** 20, 2 ** 40],
  ] as const)('%s is within its bounds', (name, property, least, most) => {
    expect(load({ [name]: String(least) })[property]).toBe(least);
    expect(load({ [name]: String(most) })[property]).toBe(most);
    for (const value of [least - 1, most + 1, '1e3', '2.5', 'auto']) {
      expect(() => load({ [name]: String(value) })).toThrow(
        expect.objectContaining({ problems: [expect.stringContaining(`${name} must be`)] }),
      );
    }
  });

  it('name one of three transports', () => {
    for (const transport of ['auto', 'message', 'channel'] as const) {
      expect(load({ TUNNEL_TRANSPORT: transport }).tunnelTransport).toBe(transport);
    }
    for (const value of ['AUTO', 'messages', 'websocket']) {
      expect(() => load({ TUNNEL_TRANSPORT: value })).toThrow(
        expect.objectContaining({
          problems: ['TUNNEL_TRANSPORT must be one of auto, message, channel'],
        }),
      );
    }
  });
});

describe('UPGRADE_PROTOCOLS', () => {
  it('is a list of names without regard to case', () => {
    expect(load({ UPGRADE_PROTOCOLS: 'WebSocket, tcp,x/2' }).upgradeProtocols).toEqual([
      'websocket',
      'tcp',
      'x/2',
    ]);
  });

  it.each(['h2c', 'H2', 'http/2.0', 'TLS/1.0', 'h3'])('does not contain %s', (protocol) => {
    expect(() => load({ UPGRADE_PROTOCOLS: `websocket,${protocol}` })).toThrow(
      expect.objectContaining({
        problems: [
          'UPGRADE_PROTOCOLS entry 2 must not be a version of HTTP or TLS: requests inside it would pass unseen',
        ],
      }),
    );
  });
});
