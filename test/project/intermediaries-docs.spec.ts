import { describe, expect, it } from 'vitest';

import { configOf, SAMPLE } from '../support/assertions/deploy-files.js';
import { documentedBlock } from '../support/network/documented-blocks.js';

const { responseTimeoutMs, connectTimeoutMs, idleTimeoutMs } = configOf(SAMPLE);
/** A gives up 2 s after B must have. protocol.md section 9. */
const PATIENCE_OF_RELAYS_S = Math.max(
  (responseTimeoutMs + connectTimeoutMs) / 1000 + 2,
  idleTimeoutMs / 1000,
);
const ACCEPTED_CONNECTION_IDLE_S = 72;
const PEER_CONNECTION_IDLE_S = 4;

/** The blocks, and how each names its limits on silence, and on idle connections from and to the relays. */
const BLOCKS = [
  {
    heading: 'nginx',
    language: 'nginx',
    silence: [
      /proxy_read_timeout (\w+)/,
      /proxy_send_timeout (\w+)/,
      /send_timeout (\w+)/,
      /body_timeout (\w+)/,
    ],
    from: /\n {2}keepalive_timeout (\w+);\n {2}client/,
    to: /keepalive 64;\n {2}keepalive_timeout (\w+)/,
  },
  {
    heading: 'HAProxy',
    language: 'haproxy',
    silence: [/timeout client (\w+)/, /timeout server (\w+)/, /timeout tunnel (\w+)/],
    from: /timeout http-keep-alive (\w+)/,
  },
  {
    heading: 'Envoy',
    language: 'yaml',
    silence: [/ stream_idle_timeout: (\w+)/, /route:[^]* idle_timeout: (3\w+)/],
    from: /common_http_protocol_options:\n +idle_timeout: (\w+)/,
    to: /HttpProtocolOptions'?\n +common_http_protocol_options:\n +idle_timeout: (\w+)/,
  },
  {
    heading: 'Apache',
    language: 'apache',
    silence: [/TimeOut (\w+)/, / timeout=(\w+)/],
    from: /KeepAliveTimeout (\w+)/,
    to: / ttl=(\w+)/,
  },
  {
    heading: 'Varnish',
    language: 'sh',
    silence: [/pipe_timeout=(\w+)/],
    from: /timeout_idle=(\w+)/,
  },
  {
    heading: 'Caddy',
    language: 'caddyfile',
    silence: [],
    from: / idle (\w+)/,
    to: / keepalive (\w+)/,
  },
  {
    heading: 'Traefik',
    language: 'sh',
    silence: [],
    from: /idleTimeout=(\w+)/,
    to: /idleConnTimeout=(\w+)/,
  },
  {
    heading: 'AWS Application Load Balancer',
    language: 'sh',
    silence: [/idle_timeout.timeout_seconds,Value=(\w+)/],
    to: /idle_timeout.timeout_seconds,Value=(\w+)/,
  },
];

const seconds = (block: string, pattern: RegExp): number => {
  const [, value = ''] = pattern.exec(block) ?? [];
  return Number.parseInt(value, 10) * (value.endsWith('h') ? 3600 : 1);
};

describe.each(BLOCKS)(
  'docs/deployment.md, $heading',
  ({ heading, language, silence, from, to }) => {
    const block = documentedBlock(heading, language);

    it('is more patient than the relays', () => {
      for (const pattern of silence) {
        expect(seconds(block, pattern)).toBeGreaterThan(PATIENCE_OF_RELAYS_S);
      }
    });

    it.skipIf(from === undefined)(
      'keeps idle connections from a relay for longer than the relay does',
      () => {
        expect(seconds(block, from!)).toBeGreaterThan(PEER_CONNECTION_IDLE_S);
      },
    );

    it.skipIf(to === undefined)('closes idle connections to a relay before the relay does', () => {
      expect(seconds(block, to!)).toBeLessThan(ACCEPTED_CONNECTION_IDLE_S);
    });
  },
);
