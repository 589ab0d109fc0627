import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import { NOT_OVER_CHANNELS, OVER_CHANNELS } from './test/over-channels.js';

/**
 * Time limits end tests that hang. A test that passes needs a small part of its limit, even on a machine that is four
 * times slower than a developer's.
 */
const LIMITS_MS = {
  unit: 30_000,
  integration: 120_000,
  e2e: 120_000,
  channels: 120_000,
  faults: 300_000,
  packages: 300_000,
  page: 120_000,
  security: 300_000,
};
const HOOK_LIMIT_MS = 300_000;
/** `SLOW=1` makes the faults last longer. */
const SLOW_FAULTS_LIMIT_MS = 600_000;

/**
 * Files run beside each other: they share nothing that they change, as test/README.md says. Two on one core, because tests wait as
 * well as compute; at most four, because each may start several relays and servers.
 */
const WORKERS = Math.min(Math.max(availableParallelism(), 2), 4);

/**
 * For relays in the process of the tests. These wait more than they compute, so there is a worker more. Each loads imports once,
 * which saves a second per file, and derives keys once; each file closes what it opens.
 */
const inOneContext = {
  maxWorkers: WORKERS + 1,
  sequence: { groupOrder: 1 },
  isolate: false,
  setupFiles: ['test/support/lifecycle/derived-once.ts'],
};

const project = (name: keyof typeof LIMITS_MS, include: string[], rest: object = {}) => ({
  extends: true as const,
  test: {
    name,
    include,
    testTimeout: LIMITS_MS[name],
    hookTimeout: HOOK_LIMIT_MS,
    ...rest,
  },
});

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    maxWorkers: WORKERS,
    setupFiles: ['test/support/lifecycle/setup.ts'],
    projects: [
      project('unit', ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/project/**/*.spec.ts'], {
        // Quicker to start than processes.
        pool: 'threads',
      }),
      project('integration', ['test/integration/**/*.spec.ts']),
      project('e2e', ['test/e2e/**/*.spec.ts'], inOneContext),
      project('channels', OVER_CHANNELS, {
        ...inOneContext,
        exclude: NOT_OVER_CHANNELS,
        env: { TEST_TRANSPORT: 'channel' },
      }),
      project('faults', ['test/faults/**/*.spec.ts'], {
        ...(process.env['SLOW'] === '1' && { testTimeout: SLOW_FAULTS_LIMIT_MS }),
        globalSetup: ['test/support/processes/build-once.ts'],
      }),
      // What is installed, and what deploys it.
      project('packages', ['test/packages/**/*.spec.ts'], {
        globalSetup: ['test/support/processes/build-once.ts'],
      }),
      project('page', ['test/page/**/*.spec.ts'], {
        ...inOneContext,
        globalSetup: ['test/support/processes/build-once.ts', 'test/support/page/build-page.ts'],
      }),
      project('security', ['test/security/**/*.spec.ts'], {
        ...inOneContext,
        globalSetup: ['test/support/processes/build-once.ts'],
      }),
    ],
  },
});
