import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { runScript } from './children.js';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE_DIRS = ['apps', 'libs'];

/** The entry point of the service, which `npm run build` writes and `npm start` runs. */
export const BUILT_MAIN = resolve(ROOT, 'dist/apps/relay/src/main.js');

/** Builds the relay if there is no build or if a source file is newer than the build. */
export async function ensureBuild() {
  if (!existsSync(resolve(ROOT, 'apps'))) {
    // An installed package has the build alone.
    return;
  }
  const compiler = resolve(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  if (!existsSync(compiler)) {
    throw new Error('the dependencies are not installed: run npm ci first');
  }
  if (newestSourceMs() <= builtAtMs()) {
    return;
  }
  console.log('Building the relay …\n');
  if (!(await runScript(compiler, ['build', 'relay'], ROOT))) {
    throw new Error('the build failed');
  }
}

function builtAtMs() {
  return statSync(BUILT_MAIN, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When a source was last changed. Folders count too, because removing a file changes its folder. */
function newestSourceMs() {
  const paths = SOURCE_DIRS.flatMap((dir) =>
    readdirSync(resolve(ROOT, dir), { recursive: true, encoding: 'utf8' }).map((path) =>
      resolve(ROOT, dir, path),
    ),
  );
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}
