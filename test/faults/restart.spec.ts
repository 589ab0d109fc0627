import { describe, expect, it } from 'vitest';

import { startProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/** The inbound relay keeps its sessions in memory: after a restart, it knows none of them. */
describe('an inbound relay that is killed and restarted', () => {
  it.each(['POST', 'GET'])(
    'serves the next %s of the same outbound relay, once',
    async (method) => {
      const tunnel = forThisTest(await startProcessTunnel());
      const send = (id: string) => tunnel.send({ method, path: `/${id}`, body: `body of ${id}` });
      expect(await send('before')).toMatchObject({ status: 200 });

      await tunnel.inbound.kill('SIGKILL');
      await tunnel.restartInbound();
      const response = await send('after');

      expect(response.status).toBe(200);
      expect(response.body.toString()).toBe('body of after');
      expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/before', '/after']);
      expect(tunnel.outbound.isRunning()).toBe(true);
    },
  );

  it('serves 20 requests that arrive together, each once', async () => {
    const tunnel = forThisTest(await startProcessTunnel());
    await tunnel.send({ path: '/before' });
    await tunnel.inbound.kill('SIGKILL');
    await tunnel.restartInbound();
    const paths = Array.from({ length: 20 }, (_, at) => `/${at}`);

    const responses = await Promise.all(
      paths.map((path) => tunnel.send({ method: 'POST', path, body: path })),
    );

    expect(responses.map(({ status, body }) => `${status} ${body.toString()}`)).toEqual(
      paths.map((path) => `200 ${path}`),
    );
    const executed = tunnel.upstream.requests.items.map(({ url }) => url);
    expect(executed.slice(1).sort()).toEqual([...paths].sort());
  });
});

describe('an outbound relay that is killed', () => {
  it('has its request aborted at the upstream', async () => {
    const tunnel = forThisTest(await startProcessTunnel(() => undefined));
    const sent = tunnel.send({ path: '/wait' }).catch(() => 'cut off');
    const request = await tunnel.upstream.requests.find();
    const closed = new Promise((resolve) => request.message.socket.once('close', resolve));

    await tunnel.outbound.kill('SIGKILL');

    await closed;
    expect(await sent).toBe('cut off');
    expect(tunnel.inbound.isRunning()).toBe(true);
  });
});
