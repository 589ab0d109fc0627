import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startBrowser, type Browser } from '../support/page/browser.js';
import { startPageServer, type PageServer } from '../support/page/page-server.js';
import { peer, refusal, sampleStatus } from '../support/page/sample-status.js';
import { hasChromium } from '../support/programs/chromium.js';

/** What a slow machine needs: the target on a quiet one is 1 s. */
const FIRST_PAINT_LIMIT_MS = 4_000;

const shared = sharedResources();
let browser: Browser;
let server: PageServer;

const opened = async (status = sampleStatus()): Promise<Page> => {
  server.push(status);
  const { page } = forThisTest(await browser.open(server.url));
  await page.locator('#peers').waitFor();
  return page;
};

/** The texts of the cells of the row that begins with a text. */
const row = (page: Page, section: string, text: string) =>
  page.locator(`#${section} tbody tr`, { has: page.locator('th', { hasText: text }) });

describe.skipIf(!hasChromium())('the page', () => {
  beforeAll(async () => {
    browser = shared(await startBrowser());
    server = shared(await startPageServer(sampleStatus()));
  });

  it('shows of each peer its state, its traffic, and what to do about its last refusal', async () => {
    const page = await opened();
    const ledger = await row(page, 'peers', 'ledger').innerText();
    expect(ledger).toMatch(/✕\s+Unreachable/);
    expect(ledger).toMatch(/RELAY_PEER_UNREACHABLE\s+42\ss ago/);
    expect(ledger).toContain('curl its /api/mte-relay from this machine');
    expect(await row(page, 'peers', 'payments').innerText()).toMatch(
      /Paired[^]*42[^]*3.2\sms[^]*22\sms/,
    );
    expect(await row(page, 'peers', '(environment)').innerText()).toContain('Not used yet');
  });

  it('shows what is new without being loaded again', async () => {
    const page = await opened();
    server.push(sampleStatus({ peers: [peer({ name: 'ledger', state: 'reachable' })] }));
    await row(page, 'peers', 'ledger').locator('.good', { hasText: 'Reachable' }).waitFor();
    expect(await page.locator('[role=status]').textContent()).toBe(
      'The peer ledger is reachable again.',
    );
  });

  it('puts what needs attention first', async () => {
    const page = await opened();
    expect(await page.locator('.findings').first().locator('li').allInnerTexts()).toEqual([
      expect.stringContaining('The peer ledger is unreachable'),
      expect.stringContaining('maxmemory-policy is allkeys-lru'),
      expect.stringMatching(/A token of reports ends: .*, in 5\sd/),
    ]);
    server.push(
      sampleStatus({
        peers: [peer()],
        clients: [],
        store: { kind: 'memory', state: 'available', warnings: [] },
      }),
    );
    await page.getByText('Nothing needs attention.').waitFor();
  });

  it('filters refusals by any text of theirs', async () => {
    const page = await opened();
    const rows = page.locator('#refusals tbody tr');
    expect(await rows.count()).toBe(3);
    await page.getByLabel('Filter').fill('token_inv');
    expect(await rows.allInnerTexts()).toEqual([expect.stringContaining('RELAY_TOKEN_INVALID')]);
    server.push(sampleStatus({ refusals: [refusal(Date.now(), { requestId: 'token_inv' })] }));
    await page.getByText('1 of 1').waitFor();
    await page.getByLabel('Filter').fill('nothing');
    await page.getByText('No refusal has this text.').waitFor();
  });

  it('leads from a code to what can be done about it', async () => {
    const page = await opened();
    await page.locator('#refusals').getByRole('link', { name: 'RELAY_TOKEN_INVALID' }).click();
    expect(page.url()).toMatch(/troubleshooting\.html#RELAY_TOKEN_INVALID$/);
    expect(await page.locator('tr:has(#RELAY_TOKEN_INVALID)').innerText()).toContain(
      'not a token of this relay',
    );
  });

  it('draws the last hour, and says the same in words and as a table', async () => {
    const page = await opened();
    expect(await page.locator('traffic-charts canvas').count()).toBe(2);
    expect(await page.locator('figcaption').allInnerTexts()).toEqual([
      expect.stringMatching(/^[\d,]+ requests, 330 errors \(0\.2 %\)\. The busiest/),
      expect.stringMatching(
        /^p50 was mostly .*\sms\. p99 was highest at \d\d:\d\d, with 60\sms\.$/,
      ),
    ]);
    await page.getByText('The last hour as a table').click();
    expect(await page.locator('traffic-charts tbody tr').count()).toBeGreaterThan(11);
  });

  it('shows the configuration as the relay gave it', async () => {
    const page = await opened();
    await page.getByText('Configuration').click();
    expect(await page.locator('.config').innerText()).toMatch(/outboundToken\s+"\*\*\*"/);
  });

  it('is there at once with 50 peers and 100 refusals', async () => {
    const peers = Array.from({ length: 50 }, (_, at) => peer({ name: `peer-${String(at)}` }));
    const refusals = Array.from({ length: 100 }, (_, at) => refusal(Date.now() - at * 1000));
    const page = await opened(sampleStatus({ peers, refusals }));
    expect(await page.locator('#peers tbody tr').count()).toBe(50);
    const paintedMs = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
    );
    expect(paintedMs).toBeLessThan(FIRST_PAINT_LIMIT_MS);
  });
});
