/** Which versions were measured, and on which machine. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { URL } from 'node:url';

import { NODE_FLAGS } from '../chains/relays.mjs';

/** @typedef {ReturnType<typeof describeMachine>} Machine */

/**
 * @typedef {{ node: string, nodeFlags: string[], nginx: string, wrk: string, redis: string, openssl: string }
 *   & Record<string, string | string[]>} Versions - and that of each package by its name
 */

const PACKAGES = [
  '@nestjs/core',
  'fastify',
  'undici',
  'ioredis',
  '@fastify/http-proxy',
  'http-proxy',
];

/**
 * Reads the version that a program prints. Some programs print it on stderr or exit with a status other than 0.
 *
 * @param {string} command
 * @param {string} argument
 * @param {RegExp} pattern
 */
function versionOf(command, argument, pattern) {
  const { stdout, stderr } = spawnSync(command, [argument], { encoding: 'utf8' });
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}

/**
 * @param {string} name
 * @returns {string} the version of an installed package
 */
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

/** @returns {Versions} */
export const describeVersions = () => ({
  node: process.versions.node,
  nodeFlags: NODE_FLAGS,
  ...Object.fromEntries(PACKAGES.map((name) => [name, installed(name)])),
  nginx: versionOf('nginx', '-v', /nginx\/(\S+)/),
  wrk: versionOf('wrk', '-v', /wrk (\S+)/),
  redis: versionOf('redis-server', '--version', /v=(\S+)/),
  openssl: process.versions.openssl,
});
