import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startBrowser, type Browser } from '../support/page/browser.js';
import { startPageServer, type PageServer } from '../support/page/page-server.js';
import { peer, refusal, sampleStatus } from '../support/page/sample-status.js';
import { hasChromium } from '../support/programs/chromium.js';

const MARKUP = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>"'&lt;`;
const SHORT_MARKUP = '<img src=x onerror=alert(1)>';
const BIDI = 'evil\u202Egnp.exe\u2066\u200F\u0000\u001B[31m';
const LONG = 'n'.repeat(10_000);
const PILED = `z${'\u0301'.repeat(500)}`;

/** A status in which a text is everywhere where another party could put one. */
function everywhere(text: string) {
  const last = refusal(Date.now(), {
    code: text,
    role: text,
    client: text,
    peer: text,
    requestId: text,
  });
  const { report } = sampleStatus();
  const { traffic } = peer();
  return sampleStatus({
    relay: { ...report.relay, config: { [text]: [text] } },
    peers: [
      peer({ name: text, origin: text, state: 'unreachable', lastRefusal: last }),
      peer({ name: undefined, origin: text }),
    ],
    clients: [{ name: text, traffic, tokenEndsAtMs: Date.now() + 1000, lastRefusal: last }],
    tenants: [{ name: text, upstream: text, state: 'unreachable', connections: 1 }],
    store: { kind: 'redis', state: 'unavailable', warnings: [text] },
    refusals: [last],
  });
}

const shared = sharedResources();
let browser: Browser;
let server: PageServer;

const opened = async (text: string, width = 1280): Promise<Page> => {
  server.push(everywhere(text));
  const { page } = forThisTest(
    await browser.open(server.url, { viewport: { width, height: 900 } }),
  );
  await page.locator('#refusals tbody tr').waitFor();
  await page.getByText('Configuration').click();
  return page;
};

describe.skipIf(!hasChromium())('what other parties chose stays text on the page (#117)', () => {
  beforeAll(async () => {
    browser = shared(await startBrowser());
    server = shared(await startPageServer(sampleStatus()));
  });

  it.each([MARKUP, SHORT_MARKUP])(
    'shows %s as it is written, and runs nothing of it (#117)',
    async (text) => {
      const page = await opened(text);
      const names = page.locator('#peers tbody tr').first().locator('th');
      expect(await names.locator('bdi').first().textContent()).toContain('<img src=x');
      expect(await names.locator('bdi').allTextContents()).toContain(text);
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.locator('body script').count()).toBe(0);
      expect(await page.title()).toBe('MTE API Relay');
    },
  );

  it('makes no link of a code that is none of this relay, such as a property of all objects (#117)', async () => {
    for (const code of ['javascript:alert(1)', 'constructor', '__proto__']) {
      const page = await opened(code);
      expect(await page.locator('#refusals td a').count()).toBe(0);
    }
  });

  it('shows characters that would turn others round (#117)', async () => {
    const page = await opened(BIDI);
    const text = (await page.locator('body').textContent()) ?? '';
    expect(text).toContain('evil⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200F⟩⟨U+0000⟩⟨U+001B⟩[31m');
    expect(text).not.toMatch(/\p{Bidi_Control}/u);
    expect(text).not.toContain('\u001B');
  });

  it.each([1280, 400])(
    'cuts 10,000 characters, which can be opened, at %i pixels (#117)',
    async (width) => {
      const page = await opened(LONG, width);
      const name = page.locator('#peers tbody tr').first().locator('details').first();
      expect(await name.locator('summary').innerText()).toHaveLength(61);
      await name.locator('summary').click();
      expect(await name.locator(':scope > bdi').innerText()).toBe(LONG);
      const overflow = await page.evaluate<number>(
        `document.documentElement.scrollWidth - document.documentElement.clientWidth`,
      );
      expect(overflow).toBe(0);
    },
  );

  it('keeps marks that are piled up in their line (#117)', async () => {
    const page = await opened(PILED);
    const box = await page.locator('#peers th bdi').first().boundingBox();
    expect(box!.height).toBeLessThan(40);
  });
});
