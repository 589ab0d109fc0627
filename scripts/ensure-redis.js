/**
 * Makes sure that the tests find a redis-server. If it is missing, it is installed when the script runs as root on Debian
 * or Ubuntu (a container, CI, a new machine); otherwise the script prints the command that installs it and exits with
 * code 1. REDIS_SERVER names a binary that is not on PATH.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];
const named = process.env.REDIS_SERVER;

/** @param {string} binary */
const runs = (binary) => spawnSync(binary, ['--version']).status === 0;

function installWithApt() {
  console.log('redis-server is missing: installing it with apt-get.');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  /** @param {string[]} args */
  const apt = (...args) =>
    spawnSync('apt-get', [...APT_OPTIONS, ...args], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  apt('update');
  apt('install', '--yes', '--no-install-recommends', 'redis-server');
  return runs('redis-server');
}

function installCommand() {
  if (process.platform === 'darwin') {
    return 'brew install redis';
  }
  if (existsSync('/etc/debian_version')) {
    return 'sudo apt-get install redis-server';
  }
  return "your system's package of Redis 7 or newer";
}

function ensureRedis() {
  if (runs(named ?? 'redis-server')) {
    return true;
  }
  if (named !== undefined) {
    console.error(`REDIS_SERVER names ${named}, which cannot be run.`);
    return false;
  }
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (mayInstall && installWithApt()) {
    return true;
  }
  console.error(
    `The tests need redis-server. Install it (${installCommand()}) or name a binary in REDIS_SERVER.`,
  );
  return false;
}

process.exitCode = ensureRedis() ? 0 : 1;
