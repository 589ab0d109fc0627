import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];

/**
 * Installs packages that a test needs, but only as root on Debian or Ubuntu; elsewhere they must already be installed.
 * Services that the packages contain are not started.
 */
export function installPackages(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    return;
  }
  console.warn(`Missing: ${packages.join(', ')}. Installing with apt-get.`);
  // Run level 1 keeps packages from starting their services.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', [...APT_OPTIONS, 'update'], { env, stdio: 'ignore' });
  spawnSync('apt-get', [...APT_OPTIONS, 'install', '-y', '--no-install-recommends', ...packages], {
    env,
    stdio: 'ignore',
  });
}

/**
 * Whether a Debian program is installed, after an attempt to install it; prints a warning if it is not.
 *
 * @param probe - a command that succeeds if it is
 */
export function hasProgram(packages: readonly string[], ...probe: [string, ...string[]]): boolean {
  const [command, ...args] = probe;
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
