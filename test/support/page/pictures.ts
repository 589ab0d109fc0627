import { join } from 'node:path';

import type { BrowserContextOptions } from 'playwright-core';

import { startBrowser } from './browser.js';
import { startPageServer } from './page-server.js';
import { sampleStatus } from './sample-status.js';

/** The same for every picture, so that only what has changed changes in them. */
const AT_MS = Date.UTC(2026, 5, 16, 9, 41, 20);
const WIDE = { width: 1280, height: 1010 };
const NARROW = { width: 400, height: 860 };

const PICTURES: Readonly<Record<string, BrowserContextOptions>> = {
  'page-light': { viewport: WIDE, colorScheme: 'light' },
  'page-dark': { viewport: WIDE, colorScheme: 'dark' },
  'page-narrow': { viewport: NARROW, colorScheme: 'light' },
};

/** Writes the pictures of the page into a folder. */
export async function takePictures(folder: string): Promise<void> {
  const browser = await startBrowser();
  const server = await startPageServer(sampleStatus({}, AT_MS));
  try {
    for (const [name, options] of Object.entries(PICTURES)) {
      const open = await browser.open(server.url, { timezoneId: 'UTC', ...options });
      await open.page.locator('#peers').waitFor();
      await open.page.screenshot({ path: join(folder, `${name}.png`) });
      await open.close();
    }
  } finally {
    await server.close();
    await browser.close();
  }
}
