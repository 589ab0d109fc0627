import { execPath } from 'node:process';

import { hasProgram } from '../processes/apt-packages.js';
import { runProgram } from './program.js';
import { hasPythonModule, pythonWith } from './python.js';

/** A widely used client, told to follow redirects. */
export interface RedirectFollower {
  readonly name: string;
  /** Whether it is installed; prints a warning if it is not. */
  readonly isThere: () => boolean;
  /** Whether it sends requests to a forward proxy, in absolute form, that its environment names. */
  readonly takesProxy: boolean;
  readonly command: (url: string, fields: Fields) => [command: string, ...args: string[]];
}

type Fields = Readonly<Record<string, string>>;

const REQUESTS = `
import json, sys, requests
requests.get(sys.argv[1], headers=json.loads(sys.argv[2]), timeout=30)
`;

const HTTPX = `
import json, sys, httpx
httpx.get(sys.argv[1], headers=json.loads(sys.argv[2]), timeout=30, follow_redirects=True)
`;

const FETCH = `
const [, url, headers] = process.argv;
await (await fetch(url, { headers: JSON.parse(headers) })).text();
`;

export const REDIRECT_FOLLOWERS: readonly RedirectFollower[] = [
  {
    name: 'curl --location',
    isThere: () => hasProgram(['curl'], 'curl', '--version'),
    takesProxy: true,
    command: (url, fields) => [
      'curl',
      ...['--disable', '--silent', '--location', '--max-time', '30', url],
      ...Object.entries(fields).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ],
  },
  {
    name: 'requests of Python',
    isThere: () => hasPythonModule('requests'),
    takesProxy: true,
    command: (url, fields) => [
      pythonWith('requests'),
      ...['-c', REQUESTS, url, JSON.stringify(fields)],
    ],
  },
  {
    name: 'httpx of Python',
    isThere: () => hasPythonModule('httpx'),
    takesProxy: true,
    command: (url, fields) => [pythonWith('httpx'), '-c', HTTPX, url, JSON.stringify(fields)],
  },
  {
    name: 'fetch of Node.js',
    isThere: () => true,
    takesProxy: false,
    command: (url, fields) => [
      execPath,
      ...['--input-type=module', '--eval', FETCH, '--', url, JSON.stringify(fields)],
    ],
  },
];

/**
 * Sends a GET with these fields and follows redirects. Resolves when the client has ended, with success or an error.
 *
 * @param proxy - the origin of a forward proxy
 */
export async function followRedirects(
  { command }: RedirectFollower,
  url: string,
  fields: Fields,
  proxy?: string,
): Promise<void> {
  const [name, ...args] = command(url, fields);
  // curl reads the first in lower case only.
  const through =
    proxy === undefined ? {} : { NO_PROXY: '', http_proxy: proxy, https_proxy: proxy };
  await runProgram(name, args, { env: through });
}
