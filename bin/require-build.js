import { existsSync } from 'node:fs';

const MAIN = new URL('../dist/apps/relay/src/main.js', import.meta.url);

/** Ends the process with one sentence if there is no build, as in a fresh clone. An installed package has one. */
export function requireBuild() {
  if (!existsSync(MAIN)) {
    console.error('There is no build yet: run npm run build.');
    process.exit(1);
  }
}
