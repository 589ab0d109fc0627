import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { hasProgram } from '../processes/apt-packages.js';

/** Debian's Python, which sees Debian's packages. */
const PYTHON = '/usr/bin/python3';

/** Sends a body of zeros, and prints the status and the body of the response, or the kind of the error. */
const PROGRAM = `
import json, sys, requests
method, url, size, headers = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
try:
    response = requests.request(method, url, data=bytes(size), headers=headers, timeout=60)
    print(response.status_code)
except requests.RequestException as error:
    print(type(error).__name__)
`;

/** Whether Python's requests is installed; prints a warning if it is not. */
export const hasPythonRequests = (): boolean =>
  hasProgram(['python3-requests'], PYTHON, '-c', 'import requests');

/** Uploads with Python's requests, which reads no response before it has sent all. @returns the status, or the kind of the error */
export async function uploadWithRequests(
  method: string,
  url: string,
  bytes: number,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const args = ['-c', PROGRAM, method, url, String(bytes), JSON.stringify(headers)];
  const child = spawn(PYTHON, args, { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output.trim();
}
