import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { settingsOf } from '../../../../test/support/relays/directory.js';
import { UpstreamHost } from './upstream-host.js';

const AUDIENCE = 'https://relay.example.com,http://10.0.0.7:8080,http://[::1]';

const hostOf = (environment: Readonly<Record<string, string>>) =>
  new UpstreamHost(settingsOf(relayConfig(environment)));
const head = (authority: string) =>
  ({ method: 'GET', scheme: 'http', authority, path: '/', fields: [] }) as const;

describe('the host field of a request to the upstream', () => {
  it.each<[setting: string, authority: string, field: string | undefined]>([
    ['upstream', 'a:1', undefined],
    ['client', 'A:1', 'A:1'],
    ['client', '', undefined],
    ['api.example.com:8443', 'a:1', 'api.example.com:8443'],
    ['api.example.com:8443', '', 'api.example.com:8443'],
  ])('with UPSTREAM_HOST=%s and a client that names "%s" is %s', (setting, authority, field) => {
    const host = hostOf({ UPSTREAM_HOST: setting });
    expect(host.fieldFor(head(authority), 'peer')).toBe(field);
  });

  it('is that of the upstream by default', () => {
    expect(hostOf({}).fieldFor(head('a'), 'peer')).toBeUndefined();
  });

  it.each(['relay.example.com', 'Relay.Example.com:443', '10.0.0.7:8080', '[::1]', '[::1]:80'])(
    'on a pass-through route is what the requester named if RELAY_AUDIENCE has it: %s',
    (authority) => {
      const host = hostOf({ UPSTREAM_HOST: 'client', RELAY_AUDIENCE: AUDIENCE });
      expect(host.fieldFor(head(authority), 'anybody')).toBe(authority);
    },
  );

  it.each(['', 'evil', 'relay.example.com:80', '10.0.0.7', '10.0.0.7:80', 'x.relay.example.com'])(
    'on a pass-through route is that of the upstream otherwise: "%s"',
    (authority) => {
      for (const audience of [{ RELAY_AUDIENCE: AUDIENCE }, {}]) {
        const host = hostOf({ UPSTREAM_HOST: 'client', ...audience });
        expect(host.fieldFor(head(authority), 'anybody')).toBeUndefined();
      }
    },
  );

  it('on a pass-through route is a fixed one, whatever the requester named', () => {
    const host = hostOf({ UPSTREAM_HOST: 'api.example.com' });
    expect(host.fieldFor(head('evil'), 'anybody')).toBe('api.example.com');
  });
});
