import { expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { DEFAULTS } from '../support/relays/relay.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/** Each causes a log line of about 250 bytes; together they are more than a pipe and a socket can buffer. */
const REQUESTS = 2_000;
const CONCURRENCY = 50;
const STOP_LIMIT_MS = 8_000;

const REFUSED = {
  'x-mte-outbound-token': DEFAULTS['OUTBOUND_TOKEN']!,
  'x-mte-upstream': 'http://a.example/no-origin',
};

it.each(['unread', 'closed'] as const)(
  'a relay whose standard output is %s serves requests and stops on SIGTERM',
  async (how) => {
    const relay = forThisTest(await startRelayProcess());
    relay.ignoreOutput(how);
    for (let count = 0; count < REQUESTS; count += CONCURRENCY) {
      const responses = await Promise.all(
        Array.from({ length: CONCURRENCY }, () => request(relay.url, { headers: REFUSED })),
      );
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([400]));
    }

    void relay.kill('SIGTERM');

    await expect.poll(relay.isRunning, { timeout: STOP_LIMIT_MS }).toBe(false);
  },
);
