import { SessionService } from '@relay/session';
import { describe, expect, it, vi } from 'vitest';

import { ShutdownState } from '../../../apps/relay/src/lifecycle/shutdown-state.js';
import { errorOf } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startTunnel } from '../../support/tunnels/tunnel.js';

describe('a relay that begins to stop while a channel is being opened to it', () => {
  it('takes no stream in that channel, and lets it end', async () => {
    const tunnel = forThisTest(
      await startTunnel({ both: { TUNNEL_TRANSPORT: 'channel', CONNECT_TIMEOUT_MS: '1000' } }),
    );
    const { app, log } = tunnel.inbound;
    const sessions = app.get(SessionService);
    const mark = sessions.mark.bind(sessions);
    vi.spyOn(sessions, 'mark').mockImplementation((session, header) => {
      const { isShuttingDown } = app.get(ShutdownState);
      if (!isShuttingDown) {
        app.get(ShutdownState).begin();
      }
      return mark(session, header);
    });

    const response = await tunnel.send({ path: '/late' });

    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_CHANNEL_UNAVAILABLE',
      forwarded: 'no',
    });
    expect(tunnel.upstream.hits).toBe(0);
    await log.find(({ msg, role }) => msg === 'channel ended' && role === 'inbound');
  });
});
