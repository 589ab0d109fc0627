import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A program from npm that only these tests run; too large to be a dependency of the repository. */
export interface NpmProgram {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Versions of its dependencies that its own package.json names by a tag. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Without what its packages expect to find beside them, if the tests use none of that. */
  readonly withoutPeers?: boolean;
}

/** Ignored by Git; what is installed here stays for the next run. */
const FOLDER = resolve('.test-programs');

const folderOf = ({ name, dependencies }: NpmProgram): string =>
  resolve(FOLDER, `${name}-${Object.values(dependencies)[0] ?? ''}`);

/** The folder of a program's package, which `hasNpmProgram` has installed. */
export const packageFolder = (program: NpmProgram, name: string): string =>
  resolve(folderOf(program), 'node_modules', name);

/** Whether a program is installed, after an attempt to install it; prints a warning if it is not. */
export function hasNpmProgram(program: NpmProgram): boolean {
  const folder = folderOf(program);
  if (existsSync(folder)) {
    return true;
  }
  // Only a complete installation gets the name that is looked for.
  const incomplete = `${folder}.${process.pid}`;
  mkdirSync(incomplete, { recursive: true });
  writeFileSync(
    resolve(incomplete, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: program.dependencies,
      overrides: program.overrides ?? {},
    }),
  );
  console.warn(`Installing ${program.name} from npm into ${dirname(folder)}.`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  if (program.withoutPeers === true) {
    options.push('--legacy-peer-deps');
  }
  const { status } = spawnSync('npm', ['install', '--prefix', incomplete, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 240_000,
  });
  if (status !== 0) {
    rmSync(incomplete, { recursive: true, force: true });
    console.warn(`npm could not install ${program.name}: its tests are skipped.`);
    return false;
  }
  nameComplete(incomplete, folder);
  return true;
}

/** Gives a folder that is complete the name that is looked for, unless another test file has been faster. */
export function nameComplete(incomplete: string, folder: string): void {
  try {
    renameSync(incomplete, folder);
  } catch (error) {
    if (!existsSync(folder)) {
      throw error;
    }
    rmSync(incomplete, { recursive: true });
  }
}
