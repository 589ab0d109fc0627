/**
 * Decodes a body in the content coding `aws-chunked`: chunks of HTTP, each of which may have a signature, and a trailer,
 * within the body. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeAwsChunks(body: Buffer): Buffer {
  const content: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.subarray(at, end).toString('latin1'), 16);
    if (end < 0 || Number.isNaN(size)) {
      throw new Error('not an aws-chunked body');
    }
    if (size === 0) {
      return Buffer.concat(content);
    }
    const start = end + 2;
    content.push(body.subarray(start, start + size));
    at = start + size + 2;
  }
}
