/** The programs that a benchmark needs besides Node.js. */
import { spawnSync } from 'node:child_process';
import console from 'node:console';
import process from 'node:process';

const PACKAGES = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  'redis-server': 'redis-server',
  openssl: 'openssl',
};

const isThere = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

/** Installs what is missing where we are root on Debian; otherwise says what to install, and ends. */
export function requireTools(names) {
  let missing = names.filter((name) => !isThere(name));
  if (missing.length > 0 && process.getuid?.() === 0 && isThere('apt-get')) {
    spawnSync('apt-get', ['install', '-y', ...missing.map((name) => PACKAGES[name])], {
      stdio: 'ignore',
    });
    missing = missing.filter((name) => !isThere(name));
  }
  if (missing.length > 0) {
    console.error(
      `missing: ${missing.join(', ')}. Install ${missing.map((name) => PACKAGES[name]).join(' ')}.`,
    );
    process.exit(1);
  }
}
