import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { runScript } from './children.js';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE_DIRS = ['apps', 'libs'];

/** What `npm run build` makes and `npm start` runs. */
export const BUILT_MAIN = resolve(ROOT, 'dist/apps/relay/src/main.js');

/** Builds the relay where there is no build, or one that is older than a source. */
export async function ensureBuild() {
  const compiler = resolve(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  if (!existsSync(compiler)) throw new Error('the dependencies are missing: run npm ci first');
  if (newestSourceMs() <= builtAtMs()) return;
  console.log('Building the relay …\n');
  if (!(await runScript(compiler, ['build', 'relay'], ROOT))) throw new Error('the build failed');
}

function builtAtMs() {
  return statSync(BUILT_MAIN, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When a source was last changed. Folders count, because they change when a file in them is removed. */
function newestSourceMs() {
  const paths = SOURCE_DIRS.flatMap((dir) =>
    readdirSync(resolve(ROOT, dir), { recursive: true }).map((path) => resolve(ROOT, dir, path)),
  );
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}
