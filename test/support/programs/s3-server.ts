import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { listen, type Listening } from '../network/listen.js';
import { decodeAwsChunks } from './aws-chunks.js';
import { sha256, verifySigV4, type AwsKey } from './sigv4.js';

/** A small S3 that keeps objects in memory, and refuses requests whose signature is not that of its key. */
export interface S3Server extends Listening {
  /** Content by bucket and name. */
  readonly objects: ReadonlyMap<string, Buffer>;
}

export const AWS_KEY: AwsKey = { id: 'AKIDOFTHETESTS', secret: 'secret/of+the+tests' };

interface Stored {
  readonly content: Buffer;
  readonly fields: readonly [string, string][];
}

interface Call {
  readonly request: IncomingMessage;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: Buffer | string;
}

/** The time of every object, so that two servers give the same responses. */
const MODIFIED = new Date('2026-01-02T03:04:05Z');

export async function startS3Server(): Promise<S3Server> {
  const store = new S3Store();
  const server = createServer((request, response) => {
    serve(store, request, response).catch(() => response.destroy());
  });
  return { ...(await listen(server)), objects: store.contents };
}

async function serve(
  store: S3Store,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const raw = await buffer(request);
  const { method = '', url: target = '', headers } = request;
  const hash = String(headers['x-amz-content-sha256'] ?? '');
  const verdict = verifySigV4({ method, target, headers }, AWS_KEY);
  const isIntact = !/^[0-9a-f]{64}$/.test(hash) || sha256(raw) === hash;
  const { pathname, searchParams } = new URL(target, 'http://any');
  const body = hash.startsWith('STREAMING-') ? decodeAwsChunks(raw) : raw;
  const answer =
    verdict !== 'valid'
      ? refusal(403, verdict)
      : isIntact
        ? store.answer({ request, name: decodeURIComponent(pathname), query: searchParams, body })
        : refusal(400, 'XAmzContentSHA256Mismatch');
  const content = Buffer.from(answer.body ?? '');
  response.sendDate = false;
  response.writeHead(answer.status, [
    ...(answer.fields ?? []).flat(),
    ...(answer.status === 204 ? [] : ['content-length', String(content.length)]),
  ]);
  response.end(method === 'HEAD' ? undefined : content);
}

const xml = (text: string): Pick<Answer, 'fields' | 'body'> => ({
  fields: [['content-type', 'application/xml']],
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
});

const refusal = (status: number, code: string): Answer => ({
  status,
  ...xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`),
});

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const tagOf = (content: Buffer): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** Buckets and objects, by operations of the REST API of S3, with buckets in the path. */
class S3Store {
  private readonly buckets = new Set<string>();
  private readonly objects = new Map<string, Stored>();
  private readonly uploads = new Map<string, Map<number, Buffer>>();

  get contents(): ReadonlyMap<string, Buffer> {
    return new Map([...this.objects].map(([name, { content }]) => [name, content]));
  }

  answer(call: Call): Answer {
    const isBucket = /^\/[^/]+\/?$/.test(call.name);
    switch (call.request.method ?? '') {
      case 'PUT':
        return isBucket ? this.createBucket(call) : this.put(call);
      case 'POST':
        return this.post(call);
      case 'DELETE':
        this.objects.delete(call.name);
        return { status: 204 };
      default:
        return isBucket ? this.list(call) : this.get(call);
    }
  }

  private createBucket({ name }: Call): Answer {
    this.buckets.add(name.replace(/\/$/, ''));
    return { status: 200 };
  }

  private put(call: Call): Answer {
    const parts = this.uploads.get(call.query.get('uploadId') ?? '');
    const source = call.request.headers['x-amz-copy-source'];
    if (parts !== undefined) {
      parts.set(Number(call.query.get('partNumber')), call.body);
    } else if (typeof source === 'string') {
      const from = this.objects.get(`/${decodeURIComponent(source).replace(/^\//, '')}`);
      const content = from?.content ?? Buffer.alloc(0);
      this.objects.set(call.name, { content, fields: fieldsOf(call.request) });
      return {
        status: 200,
        ...xml(
          `<CopyObjectResult><ETag>${tagOf(content)}</ETag><LastModified>${MODIFIED.toISOString()}</LastModified></CopyObjectResult>`,
        ),
      };
    } else {
      this.objects.set(call.name, { content: call.body, fields: fieldsOf(call.request) });
    }
    return { status: 200, fields: [['etag', tagOf(call.body)]] };
  }

  private post(call: Call): Answer {
    if (call.query.has('uploads')) {
      const id = randomUUID();
      this.uploads.set(id, new Map());
      return {
        status: 200,
        ...xml(
          `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        ),
      };
    }
    const parts = [...(this.uploads.get(call.query.get('uploadId') ?? '') ?? [])];
    const content = Buffer.concat(parts.sort(([a], [b]) => a - b).map(([, part]) => part));
    this.objects.set(call.name, { content, fields: [] });
    return {
      status: 200,
      ...xml(
        `<CompleteMultipartUploadResult><ETag>${tagOf(content)}</ETag></CompleteMultipartUploadResult>`,
      ),
    };
  }

  private get({ name, request }: Call): Answer {
    const stored = this.objects.get(name);
    if (stored === undefined) {
      return refusal(404, 'NoSuchKey');
    }
    const { content } = stored;
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const fields: [string, string][] = [
      ...stored.fields,
      ['etag', tagOf(content)],
      ['last-modified', MODIFIED.toUTCString()],
      ['accept-ranges', 'bytes'],
    ];
    if (range === null) {
      return { status: 200, fields, body: content };
    }
    const from = Number(range[1]);
    const to = range[2] === '' ? content.length - 1 : Number(range[2]);
    fields.push(['content-range', `bytes ${from}-${to}/${content.length}`]);
    return { status: 206, fields, body: content.subarray(from, to + 1) };
  }

  private list({ name, query, request }: Call): Answer {
    const bucket = name.replace(/\/$/, '');
    if (!this.buckets.has(bucket)) {
      return refusal(404, 'NoSuchBucket');
    }
    if (request.method === 'HEAD' || query.has('location')) {
      return { status: 200, ...xml('<LocationConstraint/>') };
    }
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`;
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix)).sort();
    const contents = found.map(
      ([key, { content }]) =>
        `<Contents><Key>${escaped(key.slice(bucket.length + 1))}</Key><Size>${content.length}</Size>` +
        `<ETag>${tagOf(content)}</ETag><LastModified>${MODIFIED.toISOString()}</LastModified></Contents>`,
    );
    return {
      status: 200,
      ...xml(
        `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
      ),
    };
  }
}

/** What S3 returns with an object as it was stored. */
const fieldsOf = ({ headers }: IncomingMessage): [string, string][] =>
  Object.entries(headers)
    .filter(([name]) => name === 'content-type' || name.startsWith('x-amz-meta-'))
    .map(([name, value]) => [name, String(value)]);
