import { beforeAll, describe, expect, it } from 'vitest';

import { SECURITY_FIELDS } from '../../../apps/relay/src/admin/security-fields.js';
import { openEvents } from '../../support/clients/event-source.js';
import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startAdminRelay, STATUS, type AdminRelay } from '../../support/relays/status.js';

const shared = sharedResources();
let relay: AdminRelay;

beforeAll(async () => {
  relay = shared(await startAdminRelay());
});

const get = (path: string, method = 'GET') => request(relay.admin, { path, method });

describe('the admin listener', () => {
  it('serves the status of the relay as JSON', async () => {
    const { status, headers, body } = await get('/status.json');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body.toString())).toEqual(JSON.parse(JSON.stringify(STATUS)));
  });

  it('serves metrics in the format of Prometheus', async () => {
    const { status, headers, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body.toString()).toContain('# TYPE mte_relay_requests_total counter');
  });

  it.each(['/health/live', '/health/ready'])('serves %s', async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({ status: 'ok' });
  });

  it('says how the page is built if it has not been', async () => {
    const { status, body } = await get('/');
    expect(status).toBe(404);
    expect(body.toString()).toContain('npm run build');
  });

  it('names what exists when asked for anything else', async () => {
    const { status, body } = await get('/anything');
    expect(status).toBe(404);
    expect(body.toString()).toContain('/status.json');
  });

  it.each(['/', '/status.json', '/events', '/metrics', '/health/live', '/anything'])(
    'responds to HEAD %s with the head of GET and no body',
    async (path) => {
      const head = await get(path, 'HEAD');
      expect(head.body).toHaveLength(0);
      if (path === '/events') {
        expect(head.status).toBe(200);
        expect(head.headers['content-type']).toBe('text/event-stream');
        return;
      }
      const { status, headers } = await get(path);
      expect(head.status).toBe(status);
      expect(head.headers['content-type']).toBe(headers['content-type']);
    },
  );

  it('responds with 500 and logs the reason if the status cannot be had', async () => {
    const failing = forThisTest(await startAdminRelay());
    failing.status.next = () => Promise.reject(new Error('no worker answers'));
    const { status, body } = await request(failing.admin, { path: '/status.json' });
    expect(status).toBe(500);
    expect(body.toString()).not.toContain('worker');
    await failing.log.find(({ msg }) => msg === 'the admin listener failed');
  });
});

describe('/events', () => {
  it('sends a report and the history at once, with the fields of every response', async () => {
    const { events, message } = forThisTest(await openEvents(relay.admin));
    expect(message.statusCode).toBe(200);
    expect(message.headers).toMatchObject({
      ...SECURITY_FIELDS,
      'content-type': 'text/event-stream',
    });
    const [report, history] = await events.count(2);
    expect(report).toMatchObject({ event: 'report', data: { relay: STATUS.report.relay } });
    expect(history).toEqual({ event: 'history', data: STATUS.history });
  });

  it('sends a report once a second, and the history again only when it has changed', async () => {
    const own = forThisTest(await startAdminRelay());
    const { events } = forThisTest(await openEvents(own.admin));
    await events.count(4);
    expect(events.items.map(({ event }) => event)).toEqual([
      'report',
      'history',
      'report',
      'report',
    ]);
    const { history } = STATUS;
    const later = { ...history, seconds: history.seconds.map((second) => second + 10) };
    own.status.next = () => Promise.resolve({ ...STATUS, history: later });
    const first = await events.find(
      ({ event, data }) => event === 'history' && data !== events.items[1]?.data,
    );
    expect(first.data).toEqual(later);
  });
});
