/**
 * A client of S3 by AWS SDK v3 for JavaScript. Arguments: a file beside whose packages the SDK is, the origin of the
 * server, the id and the secret of the key. Prints what each call returned as one JSON value.
 */
import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import process from 'node:process';
import { Readable } from 'node:stream';
import { URL } from 'node:url';

const [, , beside, endpoint, accessKeyId, secretAccessKey] = process.argv;
const { fetch } = globalThis;
const require = createRequire(beside);
const s3 = require('@aws-sdk/client-s3');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const clientWith = (credentials) =>
  new s3.S3Client({
    endpoint,
    credentials,
    region: 'eu-central-1',
    forcePathStyle: true,
    maxAttempts: 1,
  });
const client = clientWith({ accessKeyId, secretAccessKey });

const Bucket = 'bucket';
const Key = 'a folder/ümlaut & more(1).bin';
const SMALL = Buffer.from('small content');
const PARTS = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('the rest')];

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = async ({ Body }) => sha256(await Body.transformToByteArray());
const nameOf = (promise) =>
  promise.then(
    () => 'no error',
    (error) => error.name,
  );

await client.send(new s3.CreateBucketCommand({ Bucket }));
await client.send(
  new s3.PutObjectCommand({
    Bucket,
    Key,
    Body: SMALL,
    ContentType: 'text/plain; charset=utf-8',
    Metadata: { purpose: 'two  blanks' },
  }),
);
// A stream of known length is sent in the content coding aws-chunked, with a checksum as its trailer.
await client.send(
  new s3.PutObjectCommand({
    Bucket,
    Key: 'stream',
    Body: Readable.from([PARTS[0]]),
    ContentLength: PARTS[0].length,
  }),
);

const { UploadId } = await client.send(
  new s3.CreateMultipartUploadCommand({ Bucket, Key: 'large' }),
);
const uploaded = [];
for (const [at, Body] of PARTS.entries()) {
  const part = { PartNumber: at + 1 };
  const { ETag } = await client.send(
    new s3.UploadPartCommand({ Bucket, Key: 'large', UploadId, Body, ...part }),
  );
  uploaded.push({ ETag, ...part });
}
await client.send(
  new s3.CompleteMultipartUploadCommand({
    Bucket,
    Key: 'large',
    UploadId,
    MultipartUpload: { Parts: uploaded },
  }),
);

const get = (Key, rest = {}) => client.send(new s3.GetObjectCommand({ Bucket, Key, ...rest }));
const small = await get(Key);
const presignedGet = await fetch(
  await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key })),
);
const presignedPut = await fetch(
  await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: 'presigned' })),
  { method: 'PUT', body: 'by a presigned address' },
);
const changed = new URL(await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key })));
changed.searchParams.set('X-Amz-Expires', '604800');
const listed = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: '' }));

const results = {
  small: await bodyOf(small),
  isSmall: (await bodyOf(await get(Key))) === sha256(SMALL),
  metadata: small.Metadata,
  type: small.ContentType,
  range: await (await get(Key, { Range: 'bytes=2-5' })).Body.transformToString(),
  isStream: (await bodyOf(await get('stream'))) === sha256(PARTS[0]),
  isLarge: (await bodyOf(await get('large'))) === sha256(Buffer.concat(PARTS)),
  length: (await client.send(new s3.HeadObjectCommand({ Bucket, Key: 'large' }))).ContentLength,
  presignedGet: [presignedGet.status, await presignedGet.text()],
  presignedPut: presignedPut.status,
  changedAddress: (await fetch(changed)).status,
  listed: listed.Contents.map((object) => `${object.Key} ${object.Size} ${object.ETag}`),
  missing: await nameOf(get('missing')),
  wrongKey: await nameOf(
    clientWith({ accessKeyId, secretAccessKey: randomBytes(8).toString('hex') }).send(
      new s3.GetObjectCommand({ Bucket, Key }),
    ),
  ),
  deleted: (await client.send(new s3.DeleteObjectCommand({ Bucket, Key }))).$metadata
    .httpStatusCode,
};
process.stdout.write(JSON.stringify(results));
