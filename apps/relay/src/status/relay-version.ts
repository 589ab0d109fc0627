import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The version in the package.json that is next above a module. @throws Error if there is none */
export function relayVersion(moduleUrl: string): string {
  for (let folder = new URL('.', moduleUrl); ; folder = new URL('..', folder)) {
    const path = fileURLToPath(new URL('package.json', folder));
    if (existsSync(path)) {
      return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
    }
    if (folder.pathname === '/') {
      throw new Error('the package.json of the relay is missing');
    }
  }
}
