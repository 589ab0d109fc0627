import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { readOptions } from '../bin/arguments.js';
import { ensureRedis, runSuites } from './suites.js';

readOptions(
  `Usage: npm run test:node26

Runs the suites on Node.js 26, which the image uses, and which it installs from npm into the folder .node26. It leaves out
what depends on the version least: documents, packages, what a browser shows, programs of others as clients, the repetition
of e2e over channels, and faults of Redis, of replicas, of egress proxies and in configuration files. These ask nothing of
Node.js that other suites do not ask of it.
NODE26=/path/to/node names a binary to use instead.`,
  {},
);

const FOLDER = '.node26';
const PROJECTS = ['unit', 'integration', 'e2e', 'faults', 'security'];
const LEFT_OUT = [
  'test/{project,e2e/programs,e2e/plain-clients}/**',
  'test/faults/{redis-*,channels-redis,channels-replicas,origins-killed}.spec.ts',
  'test/faults/{egress-proxies,directory-reloads,config-check}.spec.ts',
];

/**
 * Returns the version that a binary reports, or undefined if it cannot be run.
 *
 * @param {string} binary
 */
const versionOf = (binary) => spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout?.trim();

function packageName() {
  const { platform, arch } = process;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** npm has one package for each platform. Because it is named directly, no install script is needed. */
function installNode26() {
  const name = packageName();
  mkdirSync(FOLDER, { recursive: true });
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  spawnSync('npm', ['install', '--prefix', FOLDER, ...options, `${name}@26`], { stdio: 'inherit' });
  return resolve(FOLDER, 'node_modules', name, 'bin/node');
}

const node = process.env.NODE26 ?? installNode26();
const version = versionOf(node);
if (version?.startsWith('v26.') !== true) {
  console.error(
    `${node} is not a Node.js 26 that runs on this machine. NODE26 can name another binary.`,
  );
  process.exitCode = 1;
} else {
  console.log(`\n── suites on Node.js ${version}`);
  const passed =
    ensureRedis() &&
    runSuites({
      name: 'suites-node26',
      node,
      args: [
        ...PROJECTS.map((name) => `--project=${name}`),
        ...LEFT_OUT.map((files) => `--exclude=${files}`),
      ],
    });
  process.exitCode = passed ? 0 : 1;
}
