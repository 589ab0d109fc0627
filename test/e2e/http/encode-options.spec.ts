import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  RawMessageReader,
  requestLineOf,
  statusOf,
  type Field,
} from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';
import { startTap, type Tap } from '../../support/attackers/tap.js';

const shared = sharedResources();
let tunnel: RawTunnel;
let tap: Tap;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
  tap = shared(await startTap(tunnel.inbound.port));
  await send('GET / HTTP/1.1');
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
  tap.alter(undefined);
});

/** Sends a request whose inbound relay is reached through the tap. */
async function send(startLine: string, ...fields: readonly Field[]) {
  const close: Field = ['Connection', 'close'];
  const head = tunnel.head(startLine, ...fields, close).toString('latin1');
  return tunnel.exchange('GET', head.replace(tunnel.inbound.url, tap.url));
}

/** Fields that are always in plaintext between the relays. */
const OWN_FIELDS = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'transfer-encoding',
  'cache-control',
  'accept-encoding',
  'x-mte-relay',
  'x-mte-client-id',
]);

/** The heads of all tunnel requests on the wire, and the plaintext copies in them. */
function outerRequests(): { method: string; target: string; copies: Field[] }[] {
  return tap.connections.items.flatMap((connection) => {
    const requests = [];
    let bytes = connection.sent();
    while (bytes.length > 0) {
      const reader = new RawMessageReader({ kind: 'request' });
      reader.push(bytes);
      const { head } = reader;
      if (head !== undefined && !head.startLine.includes('/api/mte-pair ')) {
        const copies = head.fields.filter(([name]) => !OWN_FIELDS.has(name.toLowerCase()));
        requests.push({ ...requestLineOf(head), copies });
      }
      bytes = reader.rest;
    }
    return requests;
  });
}

/** Sends one request and returns what it revealed on the wire. */
async function shownBy(target: string, ...fields: readonly Field[]) {
  const before = outerRequests().length;
  const response = await send(`GET ${target} HTTP/1.1`, ...fields);
  expect(statusOf(response.head!)).toBe(200);
  const [shown, ...others] = outerRequests().slice(before);
  expect(others).toEqual([]);
  return shown!;
}

/** What the upstream received, without the fields of its connection. */
const seen = () => {
  const { head } = tunnel.upstream.exchanges.items.at(-1)!;
  return {
    target: requestLineOf(head).target,
    fields: head.fields.filter(([name]) => !['host', 'connection'].includes(name)),
  };
};

const URL_SHOWN: Field = ['X-MTE-Encode-Url', 'false'];
const headers = (value: string): Field => ['X-MTE-Encode-Headers', value];
const SECRETS: readonly Field[] = [
  ['Authorization', 'Bearer secret'],
  ['Cookie', 'session=secret'],
  ['Content-Type', 'application/secret'],
  ['Content-Language', 'secret'],
  ['Proxy-Authorization', 'Basic secret'],
  ['Connection', 'X-Hop'],
  ['X-Hop', 'secret'],
  ['X-MTE-Anything', 'secret'],
];
const OPEN: readonly Field[] = [
  ['Accept', 'text/plain'],
  ['X-Trace', 'one'],
  ['x-trace', 'two'],
  ['X-Latin', 'caf\xe9'],
];
const lowerCase = (fields: readonly Field[]): Field[] =>
  fields.map(([name, value]): Field => [name.toLowerCase(), value]);

describe('x-mte-encode-headers', () => {
  it.each<[what: string, option: Field[], copies: Field[]]>([
    ['absent', [], []],
    ['true', [headers('true')], []],
    ['TRUE', [headers(' TRUE ')], []],
    ['false', [headers('false')], lowerCase(OPEN)],
    ['False', [headers('False')], lowerCase(OPEN)],
    [
      'a list of names to encode',
      [headers('X-Trace')],
      lowerCase(OPEN).filter(([name]) => name !== 'x-trace'),
    ],
    [
      'a list in several lines and any letter case',
      [headers('x-TRACE, nothing-of-it'), headers('ACCEPT')],
      lowerCase(OPEN).filter(([name]) => name === 'x-latin'),
    ],
  ])(
    '%s: copies exactly the selected fields, and never one that must stay sealed',
    async (...row) => {
      const [, option, copies] = row;

      const shown = await shownBy('/x', ...OPEN, ...SECRETS, ...option);

      expect(shown.copies).toEqual(copies);
      expect(tap.wire().includes('secret')).toBe(false);
      const sealed = lowerCase([...OPEN, ...SECRETS.slice(0, 4)]);
      expect(seen().fields).toEqual(sealed);
    },
  );

  it.each([
    ['copies fields of 8 KiB in total', 8_192, 1],
    ['copies no field if the fields exceed 8 KiB', 8_193, 0],
  ])('false %s', async (_what, bytes, count) => {
    const field: Field = ['X-Long', 'v'.repeat(bytes - 'x-long'.length)];

    const { copies } = await shownBy('/x', field, headers('false'));

    expect(copies).toHaveLength(count);
    expect(seen().fields).toEqual([['x-long', field[1]]]);
  });
});

describe('x-mte-encode-url', () => {
  it.each<[what: string, target: string, option: Field[], outer: string]>([
    ['absent hides the path', '/hidden?q=1', [], '/api/mte-tunnel'],
    ['true hides the path', '/hidden?q=1', [['x-mte-encode-url', 'True']], '/api/mte-tunnel'],
    ['false reveals the path', '/shown/%2e?q=%zz', [URL_SHOWN], '/shown/%2e?q=%zz'],
    ['false hides the path of a relay endpoint', '/api/mte-pair?x', [URL_SHOWN], '/api/mte-tunnel'],
    [
      'false hides the path of a relay endpoint in any letter case',
      '/API/Mte-Other',
      [URL_SHOWN],
      '/api/mte-tunnel',
    ],
  ])('%s', async (_what, target, option, outer) => {
    const shown = await shownBy(target, ...option);

    expect(shown).toEqual({ method: 'POST', target: outer, copies: [] });
    expect(seen().target).toBe(target);
  });

  it('false reveals only the path: method, status and body stay sealed', async () => {
    tunnel.upstream.follow(async ({ whole, write }) => {
      await whole;
      await write('HTTP/1.1 418 Teapot\r\nX-Canary: canary\r\nContent-Length: 6\r\n\r\ncanary');
    });
    const before = tap.wire().length;

    await send('PROPFIND /shown-path HTTP/1.1', URL_SHOWN, ['X-Canary', 'canary']);

    const wire = tap.wire().subarray(before).toString('latin1');
    expect(wire).not.toMatch(/canary|Teapot|PROPFIND/);
    expect(new Set(wire.match(/HTTP\/1\.1 \d+/g))).toEqual(new Set(['HTTP/1.1 200']));
    expect(tap.wire().includes('POST /shown-path HTTP/1.1')).toBe(true);
  });
});

describe('plaintext copies', () => {
  /** Rewrites in transit, from now on, what the outbound relay sends, and counts the changes. */
  const rewrite = (from: string, to: string): { count: number } => {
    const changed = { count: 0 };
    tap.alter((chunk, side) => {
      const text = chunk.toString('latin1');
      if (side !== 'near' || !text.includes(from)) {
        return chunk;
      }
      changed.count += 1;
      return Buffer.from(text.replace(from, to), 'latin1');
    });
    return changed;
  };

  it.each([
    ['another path', 'POST /shown?a=1 ', 'POST /other?b=2 '],
    ['an absolute form', 'POST /shown?a=1 ', 'POST http://elsewhere.example/x '],
    ['another value', 'x-trace: one\r\n', 'x-trace: changed\r\n'],
    ['a missing field', 'x-trace: one\r\n', ''],
    ['an additional field', 'x-trace: one\r\n', 'x-trace: one\r\nauthorization: Bearer evil\r\n'],
    ['a range and a condition', 'x-trace: one\r\n', 'range: bytes=0-0\r\nif-none-match: *\r\n'],
    ['fields that proxies add', 'x-trace: one\r\n', 'via: 1.1 p\r\nx-forwarded-for: 192.0.2.9\r\n'],
    ['a method override', 'x-trace: one\r\n', 'x-http-method-override: DELETE\r\n'],
  ])('do not affect the upstream or the client if they arrive changed to %s', async (...row) => {
    const [, from, to] = row;
    const fields: Field[] = [['X-Trace', 'one'], URL_SHOWN, headers('false')];
    const unchanged = await send('GET /shown?a=1 HTTP/1.1', ...fields);
    const expected = seen();
    const changed = rewrite(from, to);

    const response = await send('GET /shown?a=1 HTTP/1.1', ...fields);

    expect(changed.count).toBe(1);
    expect(seen()).toEqual(expected);
    expect(response).toEqual(unchanged);
    expect(tunnel.upstream.exchanges.items).toHaveLength(2);
  });
});

describe('an invalid option', () => {
  it.each<[Field]>([
    [['X-MTE-Encode-Type', 'AES']],
    [['X-MTE-Encode-Type', '']],
    [['X-MTE-Encode-Type', 'MKE, MTE']],
    [['X-MTE-Encode-Url', 'yes']],
    [['X-MTE-Encode-Url', '']],
    [['X-MTE-Encode-Url', '0']],
    [['X-MTE-Encode-Headers', '']],
    [['X-MTE-Encode-Headers', 'a b']],
    [['X-MTE-Encode-Headers', 'a,,b']],
    [['X-MTE-Encode-Headers', 'a;b']],
    [['X-MTE-Encode-Headers', 'caf\xe9']],
  ])('%s is refused with a 400, and nothing is sent', async (field) => {
    const before = outerRequests().length;

    const response = await send('GET /x HTTP/1.1', field);

    expect(statusOf(response.head!)).toBe(400);
    expect(response.body.toString()).toContain('"code":"RELAY_OPTION_INVALID"');
    expect(outerRequests()).toHaveLength(before);
    expect(tunnel.upstream.exchanges.items).toEqual([]);
  });

  it('is refused with a 400 if the option is given twice', async () => {
    const response = await send(
      'GET /x HTTP/1.1',
      ['X-MTE-Encode-Type', 'MKE'],
      ['X-MTE-Encode-Type', 'MKE'],
    );

    expect(statusOf(response.head!)).toBe(400);
  });
});
