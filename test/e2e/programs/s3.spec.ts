import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { directWay, tunnelledWay } from '../../support/programs/both-ways.js';
import { comparableExchanges, type Forward } from '../../support/programs/forward.js';
import { S3_CLIENTS } from '../../support/programs/s3-clients.js';
import { sha256 } from '../../support/programs/sigv4.js';
import { startS3Server, type S3Server } from '../../support/programs/s3-server.js';

/** What is different in every run: the name of a multipart upload, and what depends on the time. */
const VARYING = [
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g,
  /X-Amz-(?:Date|Signature)=\w+/g,
];
const FIELDS = ['content-type', 'content-length', 'content-range', 'etag', 'x-amz-meta-purpose'];

const exchangesOf = (way: Forward): string[][] =>
  comparableExchanges(way, FIELDS).map((parts) =>
    parts.map((part) => VARYING.reduce((text, varying) => text.replaceAll(varying, '*'), part)),
  );

const storedIn = ({ objects }: S3Server) =>
  [...objects].map(([name, content]) => [name, sha256(content)]).sort();

describe.each(S3_CLIENTS)('$name and S3', ({ isThere, use }) => {
  const isInstalled = isThere();

  it.skipIf(!isInstalled)(
    'work through the tunnel as they do directly (UPSTREAM_HOST=client)',
    async () => {
      const [one, other] = [forThisTest(await startS3Server()), forThisTest(await startS3Server())];
      const direct = forThisTest(await directWay(one));
      const tunnel = forThisTest(await tunnelledWay(other, { UPSTREAM_HOST: 'client' }));

      const directly = await use(direct.url);
      const tunnelled = await use(tunnel.url);

      expect(tunnelled).toEqual(directly);
      expect(storedIn(other)).toEqual(storedIn(one));
      expect(exchangesOf(tunnel)).toEqual(exchangesOf(direct));
      expect(directly).toMatchObject({ wrongKey: 'SignatureDoesNotMatch' });
    },
  );

  it.skipIf(!isInstalled)('are refused unless UPSTREAM_HOST is client', async () => {
    const server = forThisTest(await startS3Server());
    const tunnel = forThisTest(await tunnelledWay(server));

    await expect(use(tunnel.url)).rejects.toThrow(/SignatureDoesNotMatch|403/);
    expect(tunnel.exchanges.map(({ status }) => status)).toEqual([403]);
  });
});
