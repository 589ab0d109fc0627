import type { BrowserContextOptions, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { seriousFindings, startBrowser, type Browser } from '../support/page/browser.js';
import { startPageServer, type PageServer } from '../support/page/page-server.js';
import { sampleStatus } from '../support/page/sample-status.js';
import { hasChromium } from '../support/programs/chromium.js';

const NARROW = { width: 400, height: 800 };
const OPEN_ALL = `document.querySelectorAll('details').forEach((details) => { details.open = true; })`;
const FOCUSED = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  const text = document.activeElement.innerText || document.activeElement.id;
  return { text, outline: outlineStyle + ' ' + outlineWidth };
})()`;

const shared = sharedResources();
let browser: Browser;
let server: PageServer;

const opened = async (options: BrowserContextOptions = {}): Promise<Page> => {
  server.push(sampleStatus());
  const { page } = forThisTest(await browser.open(server.url, options));
  await page.locator('#peers').waitFor();
  return page;
};

/** How much wider the content of the page is than the page. */
const overflow = (page: Page) =>
  page.evaluate<number>(
    `document.documentElement.scrollWidth - document.documentElement.clientWidth`,
  );

describe.skipIf(!hasChromium())('the page is for everybody', () => {
  beforeAll(async () => {
    browser = shared(await startBrowser());
    server = shared(await startPageServer(sampleStatus()));
  });

  it.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { viewport: NARROW }],
    ['narrow and dark', { viewport: NARROW, colorScheme: 'dark' }],
  ])('has no serious finding of axe: %s, everything open', async (_, options) => {
    const page = await opened(options);
    await page.evaluate(OPEN_ALL);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'has none in the troubleshooting guide: %s',
    async (colorScheme) => {
      const { page } = forThisTest(
        await browser.open(`${server.url}troubleshooting.html`, { colorScheme }),
      );
      expect(await seriousFindings(page)).toEqual([]);
    },
  );

  it('needs no scrolling to the side at 400 pixels', async () => {
    const page = await opened({ viewport: NARROW });
    await page.evaluate(OPEN_ALL);
    expect(await overflow(page)).toBe(0);
    await page.goto(`${server.url}troubleshooting.html`);
    expect(await overflow(page)).toBe(0);
  });

  it('has a summary that scrolls to the side nowhere but in its tables', async () => {
    const config = {
      mteRoutes: Array.from({ length: 30 }, () => '/api/*'),
      aVariableWithALongNameOfItsOwn: 'a'.repeat(200),
    };
    const { relay } = sampleStatus().report;
    server.push(sampleStatus({ relay: { ...relay, config } }));
    for (const width of [400, 1000]) {
      const viewport = { width, height: 800 };
      const { page } = forThisTest(await browser.open(`${server.url}summary`, { viewport }));
      expect(await overflow(page)).toBe(0);
    }
  });

  it('has a summary whose last refusals need no scrolling at 1000 pixels', async () => {
    const viewport = { width: 1000, height: 800 };
    const { page } = forThisTest(await browser.open(`${server.url}summary`, { viewport }));
    const peers = page.getByRole('region', { name: 'Peers' });
    const box = await peers.getByText('RELAY_PEER_UNREACHABLE').first().boundingBox();
    expect(box!.x + box!.width).toBeLessThan(1000);
    expect(await peers.getByRole('columnheader').allInnerTexts()).toEqual(
      expect.arrayContaining(['Peer', 'State', 'Last refusal']),
    );
  });

  it('keeps tables tables where their rows are cards', async () => {
    const page = await opened({ viewport: NARROW });
    const table = page.getByRole('table', { name: 'Peers: their state and traffic' });
    expect(await table.getByRole('row').count()).toBe(5);
    expect(await table.getByRole('columnheader').count()).toBe(11);
    expect(await table.getByRole('rowheader').first().innerText()).toContain('payments');
  });

  it('can be used with the keyboard alone, and shows where the focus is', async () => {
    const page = await opened();
    const stops: string[] = [];
    for (let at = 0; at < 60; at += 1) {
      await page.keyboard.press('Tab');
      const { text, outline } = await page.evaluate<{ text: string; outline: string }>(FOCUSED);
      if (text.includes('MTE API Relay')) {
        break;
      }
      expect(`${text}: ${outline}`).toBe(`${text}: solid 2px`);
      stops.push(text.trim());
    }
    expect(stops[0]).toBe('To the content');
    expect(stops).toEqual(
      expect.arrayContaining([
        'Peers',
        'filter',
        'Configuration',
        'RELAY_TOKEN_INVALID',
        'Troubleshooting',
      ]),
    );
    await page.locator('summary', { hasText: 'Configuration' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('outboundToken').waitFor();
  });

  it('keeps the focus, and what is open, while numbers change', async () => {
    const page = await opened();
    await page.locator('summary', { hasText: 'Configuration' }).press('Enter');
    await page.getByLabel('Filter').focus();
    await page.keyboard.type('BILL');
    server.push(sampleStatus({ peers: [] }));
    await page.getByText('This relay knows no other relay yet.').waitFor();
    await page.keyboard.type('ING');
    expect(await page.getByLabel('Filter').inputValue()).toBe('BILLING');
    expect(await page.getByText('outboundToken').isVisible()).toBe(true);
  });

  it('reads out a change of state, and not the numbers of each second', async () => {
    const page = await opened();
    const region = page.locator('[role=status]');
    expect(await region.textContent()).toBe('Live');
    server.push(sampleStatus({}, Date.now() + 60_000));
    await page.getByText('Paired').first().waitFor();
    expect(await region.textContent()).toBe('Live');
    expect(await page.locator('[aria-live]').count()).toBe(1);
  });

  it('leads to the plain summary without JavaScript', async () => {
    const { page } = forThisTest(await browser.open(server.url, { javaScriptEnabled: false }));
    await page.getByRole('heading', { name: 'This relay' }).waitFor();
    expect(page.url()).toBe(`${server.url}summary`);
  });
});
