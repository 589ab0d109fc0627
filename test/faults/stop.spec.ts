import { describe, expect, it } from 'vitest';

import { startProcessTunnel } from '../support/process-tunnel.js';
import { startRelayProcess } from '../support/relay-process.js';
import { forThisTest } from '../support/resources.js';

describe('a relay that is told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 on %s', async (signal) => {
    const relay = forThisTest(await startRelayProcess());

    expect(await relay.kill(signal)).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
  });

  it('ends with exit code 0 though idle connections are open, on both sides', async () => {
    const tunnel = forThisTest(await startProcessTunnel());
    expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });

    const ends = await Promise.all([
      tunnel.outbound.kill('SIGTERM'),
      tunnel.inbound.kill('SIGTERM'),
    ]);

    expect(ends).toMatchObject([
      { exitCode: 0, stderr: '' },
      { exitCode: 0, stderr: '' },
    ]);
  });
});
