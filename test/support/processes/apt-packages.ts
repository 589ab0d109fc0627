import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];

/** Held while packages are installed, so that no other test file installs, or takes what is there only in part. */
const LOCK = join(tmpdir(), 'relay-tests-packages.lock');

const mayInstall = (): boolean => process.getuid?.() === 0 && existsSync('/etc/debian_version');

/**
 * Installs packages that a test needs, but only as root on Debian or Ubuntu; elsewhere they must already be installed.
 * Services that the packages contain are not started.
 */
function installPackages(packages: readonly string[]): void {
  if (!mayInstall()) {
    return;
  }
  console.warn(`Missing: ${packages.join(', ')}. Installing with apt-get.`);
  // Run level 1 keeps packages from starting their services.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const aptGet = (...args: string[]): void => {
    spawnSync('flock', ['--close', LOCK, 'apt-get', ...APT_OPTIONS, ...args], {
      env,
      stdio: 'ignore',
    });
  };
  aptGet('update');
  aptGet('install', '-y', '--no-install-recommends', ...packages);
}

/**
 * Whether a Debian program is installed, after an attempt to install it; prints a warning if it is not.
 *
 * @param probe - a command that succeeds if it is
 */
export function hasProgram(packages: readonly string[], ...probe: [string, ...string[]]): boolean {
  const [command, ...args] = mayInstall()
    ? (['flock', '--close', '--shared', LOCK, ...probe] as const)
    : probe;
  const isInstalled = (): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  if (!isInstalled()) {
    installPackages(packages);
  }
  const isThere = isInstalled();
  if (!isThere) {
    console.warn(
      `${probe.join(' ')} fails: its tests are skipped. Install ${packages.join(', ')}.`,
    );
  }
  return isThere;
}
