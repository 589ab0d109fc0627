import { describe, expect, it } from 'vitest';

import { startRelayProcess } from '../support/relay-process.js';

describe('stopping', () => {
  it('ends with exit code 0 on SIGTERM', async () => {
    const relay = await startRelayProcess();

    expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
  });
});
