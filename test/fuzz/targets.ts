import { validateHeaderName, validateHeaderValue } from 'node:http';

import { ConfigInvalidError, ENVIRONMENT_VARIABLES, loadConfig } from '@relay/config';
import { RelayError } from '@relay/errors';
import type { RawFields } from '@relay/fields';
import { RouteList, judgePath } from '@relay/http';
import {
  MessageOpener,
  checkRequestHead,
  checkResponseHead,
  decodePairRequest,
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  openSessionBlob,
  parseClientIdHeader,
  parseTunnelHeader,
  type SecretKeys,
} from '@relay/protocol';
import { verifyError } from '@relay/signature';

import { sealRecord } from '../support/protocol/records.js';
import { readSeeds } from './corpus.js';
import type { FuzzTarget } from './fuzzer.js';

const KEY = Buffer.alloc(32, 7);
const SECRET_KEYS: SecretKeys = { kid: '07070707', sender: KEY, error: KEY, store: KEY, psk: KEY };
const ENVIRONMENT = {
  UPSTREAM: 'http://localhost:3000/base',
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'token-of-28-characters-long!',
  REDIS_URL: 'memory://',
};
/** The paths that can reach a route. */
const FORWARDED_PATH = /^\/(?!\/)[^\0-\x20\x7f-\xff\\#]*$/;
const ROUTES = new RouteList(['/api/*', '/one']);

const claim = (holds: boolean, what: string): void => {
  if (!holds) {
    throw new Error(what);
  }
};

/** Runs `act`, and accepts only errors of the product's own class. */
const refusedBy = (own: abstract new (...args: never) => Error, act: () => void): void => {
  try {
    act();
  } catch (error) {
    if (!(error instanceof own)) {
      throw error;
    }
  }
};
const decodes = (act: () => void): void => {
  refusedBy(RelayError, act);
};

const checkWritable = (fields: RawFields): void => {
  for (let at = 0; at < fields.length; at += 2) {
    validateHeaderName(fields[at]!);
    validateHeaderValue(fields[at]!, fields[at + 1]!);
  }
};

/** Splits the input into record plaintexts, each after one octet with its length; bit 7 marks the last record. */
function plaintextsIn(input: Buffer): { readonly plaintext: Buffer; readonly isLast: boolean }[] {
  const plaintexts = [];
  for (let at = 0; at < input.length;) {
    const length = input[at]! & 0x7f;
    const plaintext = input.subarray(at + 1, at + 1 + length);
    plaintexts.push({ plaintext, isLast: (input[at]! & 0x80) !== 0 });
    at += 1 + length;
  }
  return plaintexts;
}

const RUNS: Readonly<Record<string, (input: Buffer) => void>> = {
  'request-head': (input) => {
    decodes(() => {
      const head = decodeRequestHead(input);
      const again = decodeRequestHead(encodeRequestHead(head));
      claim(JSON.stringify(again) === JSON.stringify(head), 're-encoding changes the head');
      checkRequestHead(head);
      claim(/^\/(?!\/)[!-~]*$/.test(head.path), 'the path leads to another origin');
      checkWritable(head.fields);
    });
  },
  'response-head': (input) => {
    decodes(() => {
      const head = decodeResponseHead(input);
      const again = decodeResponseHead(encodeResponseHead(head));
      claim(JSON.stringify(again) === JSON.stringify(head), 're-encoding changes the head');
      checkResponseHead(head);
      checkWritable(head.fields);
    });
  },
  'client-id-header': (input) => {
    const raw = input.toString('latin1');
    decodes(() => {
      const { identity, mac } = parseClientIdHeader(raw);
      claim(`${identity}.${mac}` === raw, 'a part of the header is ignored');
    });
  },
  'tunnel-header': (input) => {
    const raw = input.toString('latin1');
    decodes(() => {
      const { sid, sequence, replaces, ageSeconds, type } = parseTunnelHeader(raw);
      const number = replaces === undefined ? `${sequence}` : `${sequence}r${replaces}`;
      const parts = `1.${sid}.${number}.${ageSeconds}.${type}.`;
      claim(raw.startsWith(parts), 'a part of the header is ignored');
      claim(sequence >= 1 && sequence < 2 ** 20, 'the sequence number is out of range');
      claim(replaces !== 0 && (replaces ?? 0) < sequence, 'the replaced number is out of range');
      claim(replaces === undefined || type !== 'check', 'a check replaces a message');
      claim(ageSeconds < 100_000, 'the age is out of range');
    });
  },
  'error-header': (input) => {
    const status = 560;
    const signedError = verifyError(SECRET_KEYS, 'a.b.c', input.toString('latin1'), status);
    claim(signedError === undefined, 'an error without a signature is accepted');
  },
  'pair-request': (input) => {
    decodes(() => {
      const { unixMs, audience, publicKey } = decodePairRequest(input);
      claim(Number.isSafeInteger(unixMs) && publicKey.length === 1216, 'a field is invalid');
      claim(audience.length === input.length - 1227, 'a part of the body is ignored');
    });
  },
  'record-stream': (input) => {
    const opener = new MessageOpener(KEY);
    decodes(() => {
      claim(opener.push(input).length === 0, 'an unsealed record is opened');
      opener.finish();
      claim(false, 'an unsealed message is opened');
    });
  },
  'record-plaintexts': (input) => {
    const records = plaintextsIn(input);
    const opener = new MessageOpener(KEY);
    decodes(() => {
      records.forEach(({ plaintext, isLast }, at) => {
        for (const { content } of opener.push(sealRecord(KEY, at, plaintext, isLast))) {
          claim(
            plaintext.subarray(0, content.length).equals(content),
            'the content differs from what was sealed',
          );
          claim(
            plaintext[content.length] === (at === 0 ? 1 : 2),
            'a record of the wrong type is accepted',
          );
        }
      });
      opener.finish();
      claim(
        records.findIndex(({ isLast }) => isLast) === records.length - 1,
        'the last record is not recognised',
      );
    });
  },
  'session-blob': (input) => {
    decodes(() => {
      openSessionBlob(input, SECRET_KEYS, 'sid', 'a.b');
      claim(false, 'an unsealed session is opened');
    });
  },
  configuration: (input) => {
    const names = Object.values(ENVIRONMENT_VARIABLES);
    const lines = input.toString('latin1').split('\n');
    const given = lines.map((line): [string, string] => {
      const [name = '', ...value] = line.split('=');
      return [names.find((each) => each === name) ?? 'MTE_ROUTES', value.join('=')];
    });
    refusedBy(ConfigInvalidError, () => {
      const { config } = loadConfig({ ...ENVIRONMENT, ...Object.fromEntries(given) });
      claim(Object.isFrozen(config), 'the configuration is not frozen');
    });
  },
  routes: (input) => {
    const path = `/${input.toString('latin1')}`;
    if (!FORWARDED_PATH.test(path)) {
      return;
    }
    const { pathname } = new URL(path, 'http://upstream');
    const [raw = ''] = path.split('?');
    const judged = judgePath(path);
    if (ROUTES.matches(judged)) {
      claim(
        /^\/(?:api(?:\/|$)|one$)/.test(decodeURIComponent(pathname)),
        'a path outside the route matches',
      );
    }
    if (judged.refusal === undefined) {
      claim(
        pathname.split('/').length === raw.split('/').length,
        'a dot segment that the URL parser resolves is not recognised',
      );
    }
  },
};

export const TARGETS: readonly FuzzTarget[] = Object.entries(RUNS).map(([name, run]) => ({
  name,
  run,
  seeds: readSeeds(name),
}));
