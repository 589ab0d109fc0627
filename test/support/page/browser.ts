import axe from 'axe-core';
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
const ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server'];
/** A violation is written where other errors of a page are. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  console.error('CSP: ' + violatedDirective + ' ' + blockedURI);
});`;
/** A machine that is four times slower, with the rest of the suite beside it, has the page in this time. */
const LIMIT_MS = 30_000;

/** A page in the browser, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** Errors of scripts, of the console, and reports of the Content-Security-Policy. */
  readonly problems: string[];
  /** Rejects if there was a problem; then closes the page. */
  close(): Promise<void>;
}

/** One browser for the tests of a file. */
export interface Browser {
  /** Opens an address in a context of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
  return {
    open: async (url, options = {}) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        // What the page does is not slower, and no test waits for it.
        reducedMotion: 'reduce',
        ...options,
      });
      context.setDefaultTimeout(LIMIT_MS);
      await context.addInitScript({ content: REPORT_VIOLATIONS });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') {
          problems.push(message.text());
        }
      });
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(url);
      return {
        page,
        problems,
        close: async () => {
          await context.close();
          if (problems.length > 0) {
            throw new Error(`the page has problems:\n${problems.join('\n')}`);
          }
        },
      };
    },
    close: () => browser.close(),
  };
}

/** The serious and critical findings of axe in a page as it is, with the elements that they are about. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // The page's policy is for what it loads itself; the evaluation comes from outside.
  await page.evaluate(axe.source);
  const findings = await page.evaluate<Finding[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
      ({ id, impact, nodes }) => ({ id, impact, targets: nodes.map(({ target }) => target.join(' ')) })))`,
  );
  return findings
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, targets }) => `${id}: ${targets.join(', ')}`);
}

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly targets: readonly string[];
}
