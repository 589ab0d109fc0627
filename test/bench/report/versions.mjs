/** What was measured, and on what. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { URL } from 'node:url';

import { NODE_FLAGS } from '../chains/relays.mjs';

const PACKAGES = [
  '@nestjs/core',
  'fastify',
  'undici',
  'ioredis',
  '@fastify/http-proxy',
  'http-proxy',
];

/** Some programs say their version on stderr, or with a status that is not 0. */
function versionOf(command, argument, pattern) {
  const { stdout, stderr } = spawnSync(command, [argument], { encoding: 'utf8' });
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}

function installed(name) {
  const file = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function systemName() {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type();
}

export const describeMachine = () => ({
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.cpus().length,
  memoryGib: Math.round(os.totalmem() / 2 ** 30),
  system: systemName(),
  kernel: os.release(),
});

export const describeVersions = () => ({
  node: process.versions.node,
  nodeFlags: NODE_FLAGS,
  ...Object.fromEntries(PACKAGES.map((name) => [name, installed(name)])),
  nginx: versionOf('nginx', '-v', /nginx\/(\S+)/),
  wrk: versionOf('wrk', '-v', /wrk (\S+)/),
  redis: versionOf('redis-server', '--version', /v=(\S+)/),
  openssl: process.versions.openssl,
});
