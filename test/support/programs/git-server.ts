import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, json } from 'node:stream/consumers';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { listen, type Listening } from '../network/listen.js';
import { hasProgram } from '../processes/apt-packages.js';
import { runs } from './program.js';

/** Whether Git and Git LFS are installed; prints a warning if they are not. */
export const hasGitLfs = (): boolean =>
  hasProgram(['git'], 'git', '--version') && hasProgram(['git-lfs'], 'git-lfs', '--version');

/** Git's own HTTP server, and a server for Git LFS that builds addresses from Host, as GitHub, GitLab and Gitea do. */
export interface GitServer extends Listening {
  /** The folder of the large files, by their digest. */
  readonly objects: string;
}

/** The only repository of the server; it is empty. */
const REPOSITORY = '/team/app.git';

export async function startGitServer(): Promise<GitServer> {
  const folder = await temporaryFolder();
  const objects = join(folder.path, 'objects');
  const repository = join(folder.path, REPOSITORY);
  await mkdir(objects);
  await mkdir(repository, { recursive: true });
  await runs('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
  await runs('git', ['-C', repository, 'config', 'http.receivepack', 'true']);
  const server = await listen(
    createServer((request, response) => {
      serve(folder.path, objects, request, response).catch(() => response.destroy());
    }),
  );
  return {
    ...server,
    objects,
    close: async () => {
      await server.close();
      await folder.close();
    },
  };
}

async function serve(
  root: string,
  objects: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '', 'http://any');
  const oid = /\/lfs-objects\/([0-9a-f]{64})$/.exec(pathname)?.[1];
  if (pathname.endsWith('/info/lfs/objects/batch')) {
    const batch = await batchResponse(request);
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
    response.end(JSON.stringify(batch));
  } else if (pathname.includes('/info/lfs/')) {
    // The API of locks is optional.
    response.writeHead(404, { 'content-type': 'application/vnd.git-lfs+json' });
    response.end('{"message":"not found"}');
  } else if (oid !== undefined && request.method === 'PUT') {
    await writeFile(join(objects, oid), await buffer(request));
    response.writeHead(200).end();
  } else if (oid !== undefined) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.end(await readFile(join(objects, oid)));
  } else {
    runHttpBackend(root, request, response);
  }
}

interface Batch {
  readonly operation: 'upload' | 'download';
  readonly objects: readonly { readonly oid: string; readonly size: number }[];
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
async function batchResponse(request: IncomingMessage): Promise<object> {
  const { operation, objects } = (await json(request)) as Batch;
  const origin = `http://${request.headers.host ?? ''}`;
  return {
    transfer: 'basic',
    objects: objects.map(({ oid, size }) => ({
      oid,
      size,
      authenticated: true,
      actions: { [operation]: { href: `${origin}${REPOSITORY}/lfs-objects/${oid}` } },
    })),
  };
}

/** Runs git-http-backend, which is a CGI program. */
function runHttpBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://any');
  const { headers } = request;
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: headers['content-type'] ?? '',
      ...(headers['content-length'] !== undefined && { CONTENT_LENGTH: headers['content-length'] }),
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: 'ada',
    },
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  buffer(child.stdout).then(
    (output) => {
      const end = output.indexOf('\r\n\r\n');
      const fields = output.subarray(0, end).toString('latin1').split('\r\n');
      const pairs = fields.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      });
      const status = Number.parseInt(new Map(pairs).get('status') ?? '200', 10);
      response.writeHead(status, pairs.filter(([name]) => name !== 'status').flat());
      response.end(output.subarray(end + 4));
    },
    () => response.destroy(),
  );
}
