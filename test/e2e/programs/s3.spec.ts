import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { directWay, tunnelledWay } from '../../support/programs/both-ways.js';
import { comparableExchanges } from '../../support/programs/forward.js';
import { S3_CLIENTS } from '../../support/programs/s3-clients.js';
import { sha256 } from '../../support/programs/sigv4.js';
import { startS3Server, type S3Server } from '../../support/programs/s3-server.js';

const COMPARED = {
  fields: ['content-type', 'content-length', 'content-range', 'etag', 'x-amz-meta-purpose'],
  varying: [
    // The name of a multipart upload, and what depends on the time.
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g,
    /X-Amz-(?:Date|Signature)=\w+/g,
    // Rclone writes the parts of a part in random order.
    /<Part>.*<\/Part>/g,
  ],
};

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

      const [directly, tunnelled] = await Promise.all([use(direct.url), use(tunnel.url)]);

      expect(tunnelled).toEqual(directly);
      expect(storedIn(other)).toEqual(storedIn(one));
      expect(comparableExchanges(tunnel, COMPARED)).toEqual(comparableExchanges(direct, COMPARED));
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
