import { spawnSync } from 'node:child_process';
import { startVitest } from 'vitest/node';
import { offerHelp } from '../bin/arguments.js';

offerHelp(`Usage: npm run test:containers -- [arguments of vitest, such as swarm]

Runs the commands of docs/deployment.md and of examples as they are printed, tests the image, docker-compose.yml and deploy/swarm on a
Docker engine, and renders deploy/kubernetes if kubectl is installed, in about 12 minutes. It builds images, starts containers and, if the engine is not in a swarm, creates one;
all of that is removed at the end. It is not part of npm test.`);

const TEST_LIMIT_MS = 10 * 60_000;
const SETUP_LIMIT_MS = 20 * 60_000;

const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
  encoding: 'utf8',
});

if (engine.status === 0) {
  console.log(`docker engine ${engine.stdout.trim()}`);
  const options = {
    config: /** @type {const} */ (false),
    watch: false,
    include: ['test/containers/**/*.spec.ts'],
    fileParallelism: false,
    testTimeout: TEST_LIMIT_MS,
    hookTimeout: SETUP_LIMIT_MS,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  };
  await startVitest('test', process.argv.slice(2), options, { resolve: { tsconfigPaths: true } });
} else {
  const reason = engine.error?.message ?? engine.stderr.trim();
  console.error(`No container engine responds, so nothing was tested: ${reason}`);
  process.exitCode = 1;
}
