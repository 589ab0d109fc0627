import { beforeAll, describe, expect, it } from 'vitest';

import { summaryOf } from '../../apps/relay/src/admin/summary.js';
import { request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { peer } from '../support/page/sample-status.js';
import { startAdminRelay, STATUS, type AdminRelay } from '../support/relays/status.js';

const REPORT = STATUS.report;
const CLIENT = { traffic: REPORT.traffic };

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</td></table><script>alert(1)</script>',
  '"><svg/onload=alert(1)>',
  "' style='display:none",
  '&lt;b&gt;',
  '\u202egpj.exe',
  '\u2066\u2067',
  'a'.repeat(10_000),
  'line\nbreak\u0000\u001b[2J',
] as const;

/** A status in which every text that can come from elsewhere is this one. */
const statusOf = (text: string) => {
  const refusal = { ...REPORT.refusals[0]!, code: text, client: text, peer: text, requestId: text };
  return {
    ...STATUS,
    report: {
      ...REPORT,
      relay: { ...REPORT.relay, config: { outboundToken: text, mteRoutes: [text] } },
      peers: [peer({ name: text, lastRefusal: refusal }), peer({ name: undefined, origin: text })],
      clients: [{ ...CLIENT, name: text, lastRefusal: refusal }],
      tenants: [{ name: text, upstream: text, state: 'unknown', connections: 0 } as const],
      store: { ...REPORT.store, warnings: [text] },
      refusals: [refusal],
    },
  };
};

/** What has a direction of its own. */
const ISOLATED = /<bdi>[^<]*<\/bdi>/g;

/** What is markup in a document. */
const tagsIn = (document: string): string[] => document.match(/<[^>]*>/g) ?? [];

const shared = sharedResources();
let relay: AdminRelay;

beforeAll(async () => {
  relay = shared(await startAdminRelay());
});

const summary = async (): Promise<string> => {
  const { status, headers, body } = await request(relay.admin, { path: '/summary' });
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  return body.toString();
};

describe('/summary', () => {
  it('shows the relay, its peers, clients, tenants, store and refusals, and loads itself again', async () => {
    const document = await summary();
    for (const shown of [
      '0.1.0, Node.js 26.1.0',
      '3 d 4 h 48 min 0 s',
      '<bdi>payments</bdi>',
      '<bdi>billing</bdi>',
      '<bdi>http://orders.internal:3000</bdi>',
      '<bdi>RELAY_PEER_UNREACHABLE</bdi>',
      `<bdi>${REPORT.refusals[0]?.requestId ?? ''}</bdi>`,
      'redis',
      '<bdi>***</bdi>',
    ]) {
      expect(document).toContain(shown);
    }
    expect(document).toMatch(/<meta http-equiv="refresh" content="10"( \/)?>/);
    expect(document).not.toMatch(/<script|style=|\son\w+=/);
  });

  it('shows the traffic of the whole relay', () => {
    const traffic = { ...REPORT.traffic, requests: 7654321, errors: 1, requestsPerSecond: 85.25 };
    const status = { ...STATUS, report: { ...REPORT, traffic, peers: [], clients: [] } };
    expect(summaryOf(status)).toMatch(/<td>7654321<\/td>\s*<td>1<\/td>\s*<td>85.3<\/td>/);
  });

  it('has a style that is no inline one', async () => {
    const { status, headers } = await request(relay.admin, { path: '/summary.css' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/css; charset=utf-8');
  });

  it('shows what has no name as that of the environment', async () => {
    relay.status.next = () =>
      Promise.resolve({ ...STATUS, report: { ...REPORT, clients: [CLIENT], peers: [] } });
    const document = await summary();
    expect(document).toContain('<bdi>(environment)</bdi>');
    expect(document).toContain('<p>None.</p>');
  });
});

describe('#115 a name from elsewhere', () => {
  it.each(HOSTILE.map((text) => [JSON.stringify(text.slice(0, 40)), text]))(
    'is text in the summary: %s',
    async (_, text) => {
      relay.status.next = () => Promise.resolve(statusOf(text));
      const document = await summary();
      const harmless = summaryOf(statusOf('harmless'));
      expect(tagsIn(document)).toEqual(tagsIn(harmless));
      // It stands only where it cannot turn around what is beside it.
      expect(document.replace(ISOLATED, '')).toBe(harmless.replace(ISOLATED, ''));
    },
  );
});
