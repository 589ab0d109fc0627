import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startBrowser, type Browser } from '../support/page/browser.js';
import { startPageServer, type PageServer } from '../support/page/page-server.js';
import { peer, refusal, sampleStatus } from '../support/page/sample-status.js';
import { hasChromium } from '../support/programs/chromium.js';

/** What a slow machine needs: the target on a quiet one is 1 s. */
const FIRST_PAINT_LIMIT_MS = 4_000;

/** How much wider the axis of response times is than its longest number and the space before the chart. */
const AXIS_ROOM_PX = `(() => {
  const chart = document.querySelectorAll('.plot')[1];
  const context = document.createElement('canvas').getContext('2d');
  context.font = '12px ' + getComputedStyle(chart).fontFamily;
  return chart.querySelector('.u-over').offsetLeft - context.measureText('888 ms').width - 10;
})()`;
/** How many pixels of the chart of response times, between its axes, have the colours of its lines. */
const INK = `(() => {
  const chart = document.querySelectorAll('.plot')[1];
  // A copy, which may be read more than once.
  const canvas = document.createElement('canvas');
  const drawn = chart.querySelector('canvas');
  Object.assign(canvas, { width: drawn.width, height: drawn.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(drawn, 0, 0);
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = chart.querySelector('.u-over');
  const { data } = context.getImageData(offsetLeft, offsetTop, offsetWidth, offsetHeight);
  let coloured = 0;
  for (let at = 0; at < data.length; at += 4) {
    coloured += Math.abs(data[at] - data[at + 1]) > 40 && data[at + 3] > 100 ? 1 : 0;
  }
  return coloured;
})()`;

const shared = sharedResources();
let browser: Browser;
let server: PageServer;

const opened = async (status = sampleStatus()): Promise<Page> => {
  server.push(status);
  const { page } = forThisTest(await browser.open(server.url));
  await page.locator('#peers').waitFor();
  return page;
};

const inkOf = (page: Page) => page.evaluate<number>(INK);

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

  it('leads to its summary as long as its script does not run', async () => {
    const open = forThisTest(await browser.open('about:blank'));
    const { page, problems } = open;
    await page.route('**/*.js', (route) => route.abort());
    await page.goto(server.url);
    expect(await page.locator('relay-page').innerText()).toContain('If this stays');
    problems.length = 0;
    await page.unroute('**/*.js');
    await page.reload();
    await page.locator('#peers').waitFor();
    expect(await page.locator('relay-page').innerText()).not.toContain('If this stays');
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

  it('does not take a peer that is not probed any more for one that is back', async () => {
    const lost = peer({ name: 'ledger', state: 'unreachable' });
    const page = await opened(sampleStatus({ peers: [lost] }));
    const figures = page.locator('.figures');
    const findings = page.locator('.findings').first();
    const announced = page.locator('[role=status]');
    server.push(sampleStatus({ peers: [peer(), { ...lost, state: 'unknown' }] }));
    await findings.getByText('It is not known whether the peer ledger can be reached').waitFor();
    expect(await findings.locator('.warning').first().innerText()).toContain('no request for a');
    expect(await announced.textContent()).not.toContain('ledger');
    expect(await figures.innerText()).toMatch(/Peers reachable\s+1 of 2, 1 not known/);
    server.push(sampleStatus({ peers: [peer(), { ...lost, state: 'paired' }] }));
    await figures.getByText('2 of 2').waitFor();
    expect(await announced.textContent()).toBe('The peer ledger is reachable again.');
  });

  it('counts as reachable only peers that are called', async () => {
    const calling = peer({ role: 'inbound', name: 'shop', origin: undefined, sessions: 0 });
    const page = await opened(sampleStatus({ peers: [peer(), calling] }));
    expect(await page.locator('.figures').innerText()).toMatch(/Peers reachable\s+1 of 1\s/);
    const sessions = row(page, 'peers', 'shop').locator('td[data-column="Sessions"]');
    expect(await sessions.innerText()).toBe('–');
  });

  it('shows the requests a second of everybody, those of no peer too', async () => {
    const page = await opened(sampleStatus({ peers: [] }));
    expect(await page.locator('.figures').innerText()).toMatch(/Requests\/s\s+85\s/);
  });

  it('says whose requests fail, and why', async () => {
    const { traffic, clients } = sampleStatus().report;
    const failing = { ...traffic, requestsPerSecond: 4, errorsPerSecond: 2 };
    const lastRefusal = refusal(Date.now(), { code: 'RELAY_TOKEN_INVALID' });
    const calling = { role: 'inbound', name: 'shop', origin: undefined } as const;
    const page = await opened(
      sampleStatus({
        traffic: failing,
        peers: [
          peer({ name: 'ledger', traffic: failing, lastRefusal }),
          peer({ ...calling, traffic: failing, lastRefusal }),
          peer({ name: 'well', traffic: { ...failing, errorsPerSecond: 1.9 } }),
        ],
        clients: [{ ...clients[0]!, traffic: failing, lastRefusal }],
      }),
    );
    const findings = page.locator('.findings').first().locator('.bad');
    expect(await findings.allInnerTexts()).toEqual([
      expect.stringMatching(/Most requests to the peer ledger fail: RELAY_TOKEN_INVALID\s+\w/),
      expect.stringContaining('Most requests of the peer shop fail: RELAY_TOKEN_INVALID'),
      expect.stringContaining('Most requests of the client billing fail: RELAY_TOKEN_INVALID'),
    ]);
    expect(await findings.getByRole('link', { name: 'RELAY_' }).count()).toBe(3);
    server.push(sampleStatus({ traffic: failing, peers: [peer()], clients: [] }));
    await findings.getByText('Most requests fail', { exact: true }).waitFor();
    server.push(
      sampleStatus({
        traffic: failing,
        peers: Array.from({ length: 4 }, (_, at) => peer({ name: `p${at}`, traffic: failing })),
      }),
    );
    await findings.getByText('Most requests to 4 peers fail', { exact: true }).waitFor();
    server.push(
      sampleStatus({ traffic: { ...failing, requestsPerSecond: 0, errorsPerSecond: 0 } }),
    );
    await findings.getByText('Most requests').waitFor({ state: 'detached' });
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

  it('does not say that there were no requests while the first ones come', async () => {
    const empty = { seconds: [], requests: [], errors: [], p50Ms: [], p99Ms: [] };
    const { report } = sampleStatus();
    const page = await opened({ report, history: empty });
    const captions = page.locator('figcaption');
    expect(await captions.allInnerTexts()).toEqual([
      expect.stringContaining('There are requests now.'),
      'There are no response times yet.',
    ]);
    const traffic = { ...report.traffic, requestsPerSecond: 0 };
    server.push({ report: { ...report, traffic }, history: empty });
    await captions.getByText('There were no requests in the last hour.').waitFor();
  });

  it('draws ten seconds with requests between others without any', async () => {
    const { report, history } = sampleStatus();
    const none = history.seconds.map(() => null);
    const alone = none.map((_, at) => (at === 180 ? 120 : null));
    const page = await opened({ report, history: { ...history, p50Ms: none, p99Ms: none } });
    const before = await inkOf(page);
    server.push({ report, history: { ...history, p50Ms: none, p99Ms: alone } });
    await page.getByText('p99 was highest').waitFor();
    await expect.poll(() => inkOf(page)).toBeGreaterThan(before);
  });

  it('has room for the numbers beside its charts', async () => {
    const page = await opened();
    expect(await page.evaluate<number>(AXIS_ROOM_PX)).toBeGreaterThan(0);
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
