import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { settingsOf } from '../../../../test/support/relays/directory.js';

describe('the upstream', () => {
  it.each([
    ['http://h:3000', 'http://h:3000', ''],
    ['http://h:3000/', 'http://h:3000', ''],
    ['HTTPS://H:443/base/v1/', 'https://h', '/base/v1'],
    ['http://[::1]:8081/base', 'http://[::1]:8081', '/base'],
  ])('%s splits into origin %s and base path %j', (UPSTREAM, origin, basePath) => {
    const settings = settingsOf(relayConfig({ UPSTREAM }));
    expect(settings.upstreamOrigin).toBe(origin);
    expect(settings.upstreamBasePath).toBe(basePath);
    expect(settings.upstream).toBe(origin + basePath);
  });
});
