import { describe, expect, it } from 'vitest';

import { samplesOf } from '../support/relays/admin.js';
import { FORKED, runRelay, startRelayProcess } from '../support/processes/relay-process.js';
import { DEFAULTS } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';

describe('a relay that the cluster primary of another program runs', () => {
  it('runs as a relay without workers', async () => {
    const relay = forThisTest(await startRelayProcess({ ADMIN_PORT: '0' }, FORKED));

    expect((await samplesOf(relay)).get('mte_relay_store_available')).toBe(1);
    expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' });

    const messages = relay.log.items.map(({ msg }) => msg);
    expect(messages).toContain('stopped');
    expect(messages).not.toContain('told by the worker');
  });

  it('does not start if it is configured to have workers of its own', async () => {
    const several = { REDIS_URL: 'redis://127.0.0.1:9', WORKERS: '2' };

    expect(await runRelay({ ...DEFAULTS, ...several }, FORKED)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^WORKERS .* PM2.*\n$/) as string,
    });
  });
});
