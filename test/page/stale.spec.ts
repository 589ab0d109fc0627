import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  seriousFindings,
  startBrowser,
  type Browser,
  type OpenPage,
} from '../support/page/browser.js';
import { startPageServer, type PageServer } from '../support/page/page-server.js';
import { sampleStatus } from '../support/page/sample-status.js';
import { hasChromium } from '../support/programs/chromium.js';

const SECOND_MS = 1000;

const shared = sharedResources();
let browser: Browser;

interface Live {
  readonly server: PageServer;
  readonly open: OpenPage;
  /** Ends the reports of each second. */
  readonly fallSilent: () => void;
}

/** A page that gets a report a second. */
async function livePage(): Promise<Live> {
  const server = forThisTest(await startPageServer(sampleStatus()));
  const timer = setInterval(() => {
    server.push(sampleStatus());
  }, SECOND_MS);
  const fallSilent = (): void => {
    clearInterval(timer);
  };
  onTestFinished(fallSilent);
  const open = forThisTest(await browser.open(server.url));
  await open.page.getByText('Live', { exact: true }).first().waitFor();
  return { server, open, fallSilent };
}

describe.skipIf(!hasChromium())('a page without news', () => {
  beforeAll(async () => {
    browser = shared(await startBrowser());
  });

  it('says that it is stale, and for how long, until there is news', async () => {
    const { server, open, fallSilent } = await livePage();
    const { page } = open;
    fallSilent();
    const banner = page.locator('.banner');
    await banner.waitFor();
    expect(await banner.innerText()).toContain('Stale: the relay sends no news.');
    expect(await page.title()).toBe('Stale: MTE API Relay');
    expect(await page.locator('[role=status]').textContent()).toBe(
      'Stale: the relay sends no news.',
    );
    const age = async (): Promise<number> => parseInt(await page.locator('.age').innerText(), 10);
    const first = await age();
    expect(first).toBeGreaterThanOrEqual(3);
    await expect.poll(age).toBeGreaterThan(first);
    expect(await seriousFindings(page)).toEqual([]);

    server.push(sampleStatus());
    await banner.waitFor({ state: 'detached' });
    expect(await page.locator('[role=status]').textContent()).toBe('Live');
  });

  it('says that the relay cannot be reached, and goes on when it can', async () => {
    const { server, open } = await livePage();
    await server.stop();
    await open.page.locator('.banner', { hasText: 'the relay cannot be reached.' }).waitFor();
    expect(await open.page.locator('#peers tbody tr').count()).toBe(4);
    await server.start();
    await open.page.locator('.banner').waitFor({ state: 'detached' });
    expectOnly(open, /ERR_|Failed to load/);
  });

  it.each([
    [401, 'ADMIN_TOKEN'],
    [503, 'no room for another page'],
  ])('says that the relay responds with %i', async (status, advice) => {
    const { server, open } = await livePage();
    server.respondWith(status);
    const banner = open.page.locator('.banner', {
      hasText: `responds with status ${String(status)}.`,
    });
    await banner.waitFor();
    expect(await banner.innerText()).toContain(advice);
    server.respondWith(200);
    if (status === 401) {
      // The browser would ask for the password every two seconds.
      await open.page.reload();
    }
    await open.page.locator('.banner').waitFor({ state: 'detached' });
    expectOnly(open, /ERR_|Failed to load/);
  });
});

/** The browser itself writes of each connection that fails. */
function expectOnly({ problems }: OpenPage, expected: RegExp): void {
  expect(problems.filter((problem) => !expected.test(problem))).toEqual([]);
  problems.length = 0;
}
