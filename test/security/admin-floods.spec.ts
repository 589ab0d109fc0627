import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { expect, describe, it, onTestFinished, vi } from 'vitest';

import { MAX_ADMIN_CONNECTIONS } from '../../apps/relay/src/admin/admin-connections.js';
import { MAX_WATCHERS } from '../../apps/relay/src/admin/status-events.js';
import { openEvents } from '../support/clients/event-source.js';
import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startAdminRelay, STATUS, type AdminRelay } from '../support/relays/status.js';

const MIB = 1024 * 1024;
/** More than what the system keeps of a connection on both sides, as reports of 1 MiB. */
const TICKS = 50;

const LIMIT = { timeout: 20_000 };

/** Lets seconds pass for what begins from now on. @returns lets one pass, and what it causes happen */
function handMovedSeconds(): () => Promise<void> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return async () => {
    vi.advanceTimersByTime(1_000);
    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise(setImmediate);
    }
  };
}

async function openSocket(port: number, bytes = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  forThisTest({
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

/** Reports that are as large as no relay makes them. */
function sendLargeReports({ status }: AdminRelay): void {
  const store = { ...STATUS.report.store, warnings: ['w'.repeat(MIB)] };
  status.next = () => Promise.resolve({ ...STATUS, report: { ...STATUS.report, store } });
}

describe('#116 whoever reaches the admin listener', () => {
  it('has a report made once a second for all who watch, and none while nobody does', async () => {
    const relay = forThisTest(await startAdminRelay());
    const nextSecond = handMovedSeconds();
    await nextSecond();
    expect(relay.status.calls).toBe(0);
    const watchers = await Promise.all(Array.from({ length: 5 }, () => openEvents(relay.admin)));
    await Promise.all(watchers.map(({ events }) => events.count(2)));
    const before = relay.status.calls;
    await nextSecond();
    await nextSecond();
    expect(relay.status.calls).toBe(before + 2);
    await Promise.all(watchers.map(({ events }) => events.count(4)));
    await Promise.all(watchers.map((watcher) => watcher.close()));
    // The listener learns of the last end as of any other: by an event of its own.
    await expect.poll(() => vi.getTimerCount(), LIMIT).toBe(0);
    await nextSecond();
    expect(relay.status.calls).toBe(before + 2);
  });

  it('takes one place with a connection, and none once it is closed', async () => {
    const relay = forThisTest(await startAdminRelay());
    const ask = 'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n';
    const sockets = [];
    for (let count = 0; count < MAX_WATCHERS - 1; count += 1) {
      const socket = await openSocket(relay.adminPort, ask.repeat(4));
      await once(socket, 'data');
      sockets.push(socket);
    }
    const last = forThisTest(await openEvents(relay.admin));
    expect(last.message.statusCode).toBe(200);
    expect((await request(relay.admin, { path: '/events' })).status).toBe(503);
    for (const socket of sockets) {
      socket.destroy();
    }
    await last.close();
    const statusOfNext = async () => {
      const next = forThisTest(await openEvents(relay.admin));
      return next.message.statusCode;
    };
    await expect.poll(statusOfNext, LIMIT).toBe(200);
    for (let count = 1; count < MAX_WATCHERS; count += 1) {
      await expect.poll(statusOfNext, LIMIT).toBe(200);
    }
  });

  it('does not have reports made that overtake each other', async () => {
    const relay = forThisTest(await startAdminRelay());
    const nextSecond = handMovedSeconds();
    let finish = (): void => undefined;
    relay.status.next = () =>
      new Promise((resolve) => {
        finish = () => {
          resolve(STATUS);
        };
      });
    const { events } = forThisTest(await openEvents(relay.admin));
    await expect.poll(() => relay.status.calls, LIMIT).toBe(1);
    await nextSecond();
    await nextSecond();
    expect(relay.status.calls).toBe(1);
    finish();
    await events.count(2);
    await nextSecond();
    expect(relay.status.calls).toBe(2);
  });

  it('finds a place among those who watch only while fewer than 16 do', async () => {
    const relay = forThisTest(await startAdminRelay());
    const watchers = await Promise.all(
      Array.from({ length: MAX_WATCHERS }, () => openEvents(relay.admin)),
    );
    for (const watcher of watchers) {
      forThisTest(watcher);
    }
    const { status, headers, body } = await request(relay.admin, { path: '/events' });
    expect([status, headers['retry-after']]).toEqual([503, '10']);
    expect(body.toString()).toContain('16 others');
    await watchers[0]?.close();
    const late = async () => forThisTest(await openEvents(relay.admin)).message.statusCode;
    await expect.poll(late, LIMIT).toBe(200);
  });

  it('misses events that it does not read, instead of having them wait, and loses its place', async () => {
    const relay = forThisTest(await startAdminRelay());
    sendLargeReports(relay);
    const nextSecond = handMovedSeconds();
    const reader = await openSocket(
      relay.adminPort,
      'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n',
    );
    reader.pause();
    await expect.poll(() => relay.status.calls, LIMIT).toBe(1);
    for (let tick = 0; tick < TICKS; tick += 1) {
      await nextSecond();
    }
    let received = 0;
    reader.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1').split('event: report').length - 1;
    });
    reader.resume();
    await nextSecond();
    await expect.poll(() => received, LIMIT).toBeGreaterThan(0);
    expect(relay.status.calls).toBeGreaterThan(TICKS);
    expect(received).toBeLessThan(TICKS / 2);
    reader.pause();
    const closed = once(reader, 'close');
    for (let tick = 0; tick < 2 * TICKS + 20; tick += 1) {
      await nextSecond();
    }
    expect(vi.getTimerCount()).toBe(0);
    reader.resume();
    await closed;
  });

  it('cannot keep probes out by connections, nor end those of who watches', async () => {
    const relay = forThisTest(await startAdminRelay());
    const watcher = forThisTest(await openEvents(relay.admin));
    const sockets = await Promise.all(
      Array.from({ length: MAX_ADMIN_CONNECTIONS }, () => openSocket(relay.adminPort)),
    );
    const first = Promise.race(sockets.map((socket) => text(socket)));
    expect((await request(relay.admin, { path: '/health/live' })).status).toBe(200);
    // It was closed for another one, and not told that it has sent no request in time.
    expect(await first).toBe('');
    const { length } = watcher.events.items;
    await watcher.events.count(length + 2);
  });

  it('delays no shutdown by watching', async () => {
    const relay = await startAdminRelay();
    const watcher = await openEvents(relay.admin);
    await watcher.events.count(1);
    await relay.close();
    await watcher.ended;
    await expect(request(relay.admin, { path: '/health/live' })).rejects.toThrow();
  });

  it('hears nothing while the status cannot be had, and then again', async () => {
    const relay = forThisTest(await startAdminRelay());
    relay.status.next = () => Promise.reject(new Error('no worker answers'));
    const { events } = forThisTest(await openEvents(relay.admin));
    const line = await relay.log.find(
      ({ msg }) => msg === 'the status could not be sent to those who watch',
    );
    expect(line['level']).toBe(20);
    expect(events.items).toEqual([]);
    relay.status.next = () => Promise.resolve(STATUS);
    await events.count(2);
  });
});
