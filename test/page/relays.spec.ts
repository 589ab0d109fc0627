import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { seriousFindings, startBrowser, type Browser } from '../support/page/browser.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { pidsOfRequests, twoWorkers, workersUp } from '../support/processes/workers.js';
import { hasChromium } from '../support/programs/chromium.js';
import { adminOf } from '../support/relays/admin.js';
import { tunnelClient } from '../support/tunnels/tunnel-client.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const REQUESTS = 40;
/** The target is 3 s on a quiet machine. */
const LIMIT_MS = 15_000;
const PAUSE_MS = 100;
const ADMIN_TOKEN = 'admin-token-q7Zt1mXw9LrB4vNc8Yp2Hs';

const shared = sharedResources();
const workers = hasChromium() ? await twoWorkers() : undefined;
let browser: Browser;
let upstream: Upstream;
let inbound: RelayProcess;
let outbound: RelayProcess;

const send = () => tunnelClient(outbound.url, inbound.url).send({ path: '/api/orders' });

const pageOf = async (relay: RelayProcess): Promise<Page> => {
  const { page } = forThisTest(await browser.open(await adminOf(relay)));
  await page.locator('#peers').waitFor();
  return page;
};

/** A request after the other, until the test ends; whether they succeed does not matter. */
function load(): void {
  let isOn = true;
  const loop = async (): Promise<void> => {
    while (isOn) {
      await send().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const ended = loop();
  onTestFinished(async () => {
    isOn = false;
    await ended;
  });
}

const startInbound = (port = 0) =>
  startRelayProcess({
    TUNNEL_TRANSPORT: 'auto',
    PORT: String(port),
    ADMIN_PORT: '0',
    ADMIN_TOKEN,
    UPSTREAM: upstream.url,
  });

describe.skipIf(workers === undefined)('the page of a relay', () => {
  beforeAll(async () => {
    upstream = shared(await startUpstream());
    browser = shared(await startBrowser());
    inbound = shared(await startInbound());
    outbound = shared(
      await startRelayProcess({ ...workers, TUNNEL_TRANSPORT: 'auto', ADMIN_PORT: '0' }),
    );
    await workersUp(outbound);
  });

  it('sums what its workers have done', async () => {
    const page = await pageOf(outbound);
    let sent = 0;
    // The operating system decides which worker a connection goes to.
    while (sent === 0 || pidsOfRequests(outbound).size < 2) {
      const responses = await Promise.all(Array.from({ length: REQUESTS }, () => send()));
      expect(responses.map(({ status }) => status)).toEqual(Array(REQUESTS).fill(200));
      sent += REQUESTS;
    }

    const requests = page.locator('#clients td[data-column="Requests"]');
    await expect
      .poll(() => requests.innerText(), { timeout: LIMIT_MS })
      .toBe(sent.toLocaleString('en'));
    expect(await page.locator('.figures').innerText()).toMatch(/Workers\s+2/);
  });

  it('shows requests while they come', async () => {
    const page = await pageOf(outbound);
    load();
    const called = page.locator('#peers tbody tr', { hasText: inbound.url });
    const rate = called.locator('td[data-column="Requests/s"]');
    await expect
      .poll(async () => Number(await rate.innerText()), { timeout: LIMIT_MS })
      .toBeGreaterThan(0);
    const requests = called.locator('td[data-column="Requests"]');
    const before = Number(await requests.innerText());
    await expect
      .poll(async () => Number(await requests.innerText()), { timeout: LIMIT_MS })
      .toBeGreaterThan(before);
  });

  it('shows that a peer is gone, why requests are refused, and that it is back', async () => {
    const page = await pageOf(outbound);
    load();
    const row = page.locator('#peers tbody tr', { hasText: inbound.url });
    await row.locator('.state.good').waitFor();

    const { port } = inbound;
    await inbound.kill();
    await row.locator('.state.bad', { hasText: 'Unreachable' }).waitFor({ timeout: LIMIT_MS });
    await page.locator('#refusals').getByText('RELAY_PEER_').first().waitFor();
    expect(await page.locator('.findings').innerText()).toContain('is unreachable');
    expect(await page.locator('[role=status]').textContent()).toContain('is unreachable.');

    inbound = shared(await startInbound(port));
    await row.locator('.state.good').waitFor();
  });

  it('leads to its summary without JavaScript', async () => {
    expect((await send()).status).toBe(200);
    const { page } = forThisTest(
      await browser.open(await adminOf(outbound), { javaScriptEnabled: false }),
    );
    await page.waitForURL('**/summary');
    expect(await page.locator('body').innerText()).toContain(inbound.url);
    // axe is a script.
    const again = forThisTest(await browser.open(page.url()));
    // That it loads itself again is what it has instead of events.
    const ofRefresh = 'meta-refresh: meta[http-equiv="refresh"]';
    expect(await seriousFindings(again.page)).toEqual([ofRefresh]);
  });

  it('asks for the password that it has, for its events too', async () => {
    const address = await adminOf(inbound);
    expect((await request(address, { path: '/' })).status).toBe(401);
    const httpCredentials = { username: 'operator', password: ADMIN_TOKEN };
    const { page } = forThisTest(await browser.open(address, { httpCredentials }));
    await page.getByText('Live', { exact: true }).first().waitFor();
    expect(await page.locator('#tenants tbody').innerText()).toContain(upstream.url);
  });

  it('says that it is stale when the relay has ended', async () => {
    const address = await adminOf(inbound);
    const httpCredentials = { username: 'operator', password: ADMIN_TOKEN };
    const open = forThisTest(await browser.open(address, { httpCredentials }));
    await open.page.locator('#peers').waitFor();
    await inbound.kill('SIGTERM');
    await open.page.locator('.banner', { hasText: 'the relay cannot be reached.' }).waitFor();
    // The browser writes of each connection that fails.
    expect(open.problems.filter((problem) => !problem.includes('ERR_'))).toEqual([]);
    open.problems.length = 0;
  });
});
