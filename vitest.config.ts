import { defineConfig } from 'vitest/config';

/** e2e, faults and security measure memory and order of events, so their files run one at a time. */
const oneAtATime = { fileParallelism: false, maxWorkers: 1 };

/** What they import is loaded once, which saves a second a file: each closes what it opens. */
const inOneContext = { ...oneAtATime, isolate: false };

const project = (name: string, include: string[], rest: object = {}) => ({
  extends: true as const,
  test: { name, include, ...rest },
});

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    setupFiles: ['test/support/setup.ts'],
    projects: [
      project('unit', ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/project/**/*.spec.ts']),
      project('integration', ['test/integration/**/*.spec.ts'], { testTimeout: 20_000 }),
      project('e2e', ['test/e2e/**/*.spec.ts'], { ...inOneContext, testTimeout: 30_000 }),
      project('faults', ['test/faults/**/*.spec.ts'], {
        ...oneAtATime,
        testTimeout: process.env['SLOW'] === '1' ? 600_000 : 120_000,
        hookTimeout: 120_000,
        globalSetup: ['test/support/build-once.ts'],
      }),
      project('security', ['test/security/**/*.spec.ts'], {
        ...inOneContext,
        testTimeout: 60_000,
        hookTimeout: 120_000,
      }),
    ],
  },
});
