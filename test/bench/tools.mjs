/** The programs that a benchmark needs besides Node.js. */
import { spawnSync } from 'node:child_process';
import console from 'node:console';
import process from 'node:process';

/** @typedef {keyof typeof PACKAGES} Tool */

const PACKAGES = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  'redis-server': 'redis-server',
  openssl: 'openssl',
};

/** @param {string} name */
const isInstalled = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

/**
 * Installs missing programs if this process is root on Debian; otherwise prints what to install, and ends the process.
 *
 * @param {Tool[]} names
 */
export function requireTools(names) {
  let missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0 && process.getuid?.() === 0 && isInstalled('apt-get')) {
    spawnSync('apt-get', ['install', '-y', ...missing.map((name) => PACKAGES[name])], {
      stdio: 'ignore',
    });
    missing = missing.filter((name) => !isInstalled(name));
  }
  if (missing.length > 0) {
    console.error(
      `missing: ${missing.join(', ')}. Install ${missing.map((name) => PACKAGES[name]).join(' ')}.`,
    );
    process.exit(1);
  }
}
