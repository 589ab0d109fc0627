import { readFileSync } from 'node:fs';

import { Clock } from '@relay/clock';
import { RelayConfig, loadConfig } from '@relay/config';
import {
  BLOB_BYTES,
  BLOB_HEAD_BYTES,
  KeyRing,
  MessageSealer,
  deriveProof,
  deriveRequestKey,
  encodeRequestHead,
} from '@relay/protocol';
import {
  SessionStore,
  SessionStoreUnavailableError,
  StoreHealth,
  type MarkOutcome,
} from '@relay/session';
import { verifyError } from '@relay/signature';
import { beforeAll, describe, expect, it } from 'vitest';

import { ConcurrencyLimit } from '../../../apps/relay/src/admission/concurrency-limit.js';
import { headerOf, deliverTo } from '../../support/attackers/man-in-the-middle.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { DEFAULTS, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

/** A case of test/vectors/protocol-1-cases.json, whose `note` describes it. */
interface Case {
  readonly name: string;
  readonly header?: string;
  readonly now_ms: number;
  readonly marked?: readonly number[];
  readonly absent?: boolean;
  readonly state?: 'r' | 'x';
  readonly more_store?: number;
  readonly recreated?: boolean;
  readonly store_epoch?: string;
  readonly open?: 'exception';
  readonly mark?: 'exception' | -1;
  readonly kill?: 'exception';
  readonly relay_audience?: readonly string[];
  readonly session_max_messages?: number;
  readonly session_lifetime?: number;
  readonly own?: string;
  readonly no_place?: boolean;
  readonly record_0_bad?: boolean;
  readonly verdict: string;
  readonly marked_after?: readonly number[];
  readonly dead_after?: boolean;
}

/** What distinguishes the relays that cases need. */
type Settings = {
  readonly [
    Name in 'own' | 'relay_audience' | 'session_max_messages' | 'session_lifetime' | 'no_place'
  ]: Case[Name] | undefined;
};

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'));
}

const one = read('protocol-1.json') as Readonly<Record<string, string>>;
const more = read('protocol-1-more.json') as {
  readonly alternative: { readonly client_id_secret: string };
  readonly more_stores: readonly { readonly blob: string }[];
  readonly recreated: { readonly store: { readonly blob: string } };
  readonly case_headers: Readonly<
    Record<string, { readonly relay_header: string; readonly client_id_header: string }>
  >;
};
const cases = ['protocol-1-cases.json', 'protocol-1-more-cases.json'].flatMap(
  (name) => (read(name) as { readonly cases: readonly Case[] }).cases,
);

const health: StoreHealth = {
  check: () => Promise.resolve(),
  describe: () => Promise.reject(new Error('no case asks')),
  watch: () => undefined,
};

function storedFor({ recreated, more_store: at = -1 }: Case): string {
  const known = recreated === true ? more.recreated.store : more.more_stores[at];
  return known?.blob ?? one['blob']!;
}

/** The keys of the session that A has. */
const keysOfSender = {
  clientToServer: Buffer.from(one['k_c2s']!, 'hex'),
  serverToClient: Buffer.from(one['k_s2c']!, 'hex'),
};

/** The store of a case: one string, as in Redis, and operations that fail as the case demands. */
class CaseStore implements SessionStore {
  private string: Buffer;
  private readonly epoch: string;
  readonly marks: Set<number>;

  constructor(private readonly known: Case) {
    const blob = Buffer.from(storedFor(known), 'hex');
    this.epoch = known.store_epoch ?? blob.toString('latin1', 0, 40);
    this.string = known.absent === true ? Buffer.alloc(0) : Buffer.from(known.state ?? blob);
    this.marks = new Set(known.marked);
  }

  get isDead(): boolean {
    return this.string.toString() === 'x';
  }

  reserve(): never {
    throw new Error('no case pairs');
  }

  put(): never {
    throw new Error('no case pairs');
  }

  open(): Promise<Buffer | undefined> {
    return this.run(this.known.open, () => {
      if (
        this.string.length === BLOB_BYTES &&
        this.string.toString('latin1', 0, 40) === this.epoch
      ) {
        return Buffer.from(this.string);
      }
      this.string = Buffer.from('x');
      return undefined;
    });
  }

  mark(
    _sid: string,
    numbers: { readonly sequence: number; readonly replaces?: number | undefined },
    blobHead: Buffer,
  ): Promise<MarkOutcome> {
    return this.run(this.known.mark, () => {
      if (this.known.mark === -1 || !this.string.subarray(0, BLOB_HEAD_BYTES).equals(blobHead)) {
        return 'dead';
      }
      const { sequence, replaces } = numbers;
      const isReplay = this.marks.has(sequence);
      const isOriginalMarked = replaces !== undefined && this.marks.has(replaces);
      this.marks.add(sequence).add(replaces ?? sequence);
      if (isReplay) {
        return 'replay';
      }
      return isOriginalMarked ? 'original-marked' : 'first';
    });
  }

  kill(): Promise<void> {
    return this.run(this.known.kill, () => {
      this.string = Buffer.from('x');
    });
  }

  private run<T>(outcome: unknown, operation: () => T): Promise<T> {
    return outcome === 'exception'
      ? Promise.reject(new SessionStoreUnavailableError('as the case demands'))
      : Promise.resolve(operation());
  }
}

describe('the inbound relay, compared with the known verdicts', () => {
  const shared = sharedResources();
  let upstream: Upstream;
  let keyRing: KeyRing;
  let current: CaseStore;
  const clock = new HandMovedClock();
  const relays = new Map<string, Promise<TestRelay>>();

  beforeAll(async () => {
    upstream = shared(await startUpstream());
    keyRing = await KeyRing.derive(one['client_id_secret']!, more.alternative.client_id_secret);
  });

  /** A relay for all cases with the same settings; its store is that of the current case. */
  async function relayFor(known: Case): Promise<TestRelay> {
    const { own, relay_audience, session_max_messages, session_lifetime, no_place } = known;
    const settings: Settings = {
      own,
      relay_audience,
      session_max_messages,
      session_lifetime,
      no_place,
    };
    const name = JSON.stringify(settings);
    const started = relays.get(name) ?? startWith(settings);
    relays.set(name, started);
    return started;
  }

  async function startWith(settings: Settings): Promise<TestRelay> {
    const [kid, clientId = 'relay-b'] = settings.own?.split('.') ?? [];
    const secrets = [one['client_id_secret']!, more.alternative.client_id_secret];
    const [secret, alternative] =
      kid === undefined || kid === one['kid'] ? secrets : secrets.toReversed();
    const env = {
      UPSTREAM: upstream.url,
      CLIENT_ID: clientId,
      CLIENT_ID_SECRET: secret!,
      CLIENT_ID_SECRET_ALT: alternative!,
      ...(settings.relay_audience && { RELAY_AUDIENCE: settings.relay_audience.join(',') }),
      ...(settings.session_lifetime !== undefined && {
        SESSION_LIFETIME_SECONDS: String(settings.session_lifetime),
      }),
    };
    const { config } = loadConfig({ ...DEFAULTS, ...env });
    // A variable of 0 would be refused, but nothing else in the relay depends on it.
    const sessionMaxMessages = settings.session_max_messages ?? config.sessionMaxMessages;
    const store: SessionStore = {
      reserve: () => current.reserve(),
      put: () => current.put(),
      open: () => current.open(),
      mark: (...args) => current.mark(...args),
      kill: () => current.kill(),
    };
    return shared(
      await startRelay(env, (builder) => {
        builder
          .overrideProvider(Clock)
          .useValue(clock)
          .overrideProvider(RelayConfig)
          .useValue(Object.create(config, { sessionMaxMessages: { value: sessionMaxMessages } }))
          .overrideProvider(SessionStore)
          .useValue(store)
          .overrideProvider(StoreHealth)
          .useValue(health);
        return settings.no_place === true
          ? builder.overrideProvider(ConcurrencyLimit).useValue({ tryAcquire: () => false })
          : builder;
      }),
    );
  }

  function headersOf({ header = 'tunnel' }: Case): readonly [relay: string, clientId: string] {
    const own = more.case_headers[header];
    return own === undefined
      ? [one[`${header}_relay_header`]!, one[`${header}_client_id_header`]!]
      : [own.relay_header, own.client_id_header];
  }

  function recordZero(known: Case, relayHeader: string): Buffer {
    const head = { method: 'GET', scheme: 'http', authority: '', path: '/', fields: [] } as const;
    const sealer = new MessageSealer(deriveRequestKey(keysOfSender, relayHeader));
    const record = sealer.sealHead(encodeRequestHead(head), true);
    if (known.record_0_bad === true) {
      record[20]! ^= 1;
    }
    return record;
  }

  const rows = cases.map((known) => [known.name, known.verdict, known] as const);

  it.each(rows)('%s: %s', async (_name, _verdict, known) => {
    const relay = await relayFor(known);
    current = new CaseStore(known);
    clock.jump(known.now_ms - clock.nowMs());
    const [relayHeader, clientIdHeader] = headersOf(known);
    const hitsBefore = upstream.hits;

    const response = await deliverTo(relay.url, {
      method: 'POST',
      path: '/api/mte-tunnel',
      rawHeaders: [
        ...['content-type', 'application/octet-stream'],
        ...['x-mte-relay', relayHeader, 'x-mte-client-id', clientIdHeader],
      ],
      body: known.header === 'check' ? Buffer.alloc(0) : recordZero(known, relayHeader),
    });

    const isForwarded = known.verdict === 'go on' && known.header !== 'check';
    expect(upstream.hits - hitsBefore).toBe(isForwarded ? 1 : 0);
    const header = headerOf(response, 'x-mte-relay');
    const sender = keyRing.find(clientIdHeader.slice(0, 8))!;
    const proof = deriveProof(keysOfSender);
    const error = verifyError(sender, clientIdHeader, header, response.status, proof);
    expect(verdictOf(response.status, header, error?.isNeverForwarded)).toBe(known.verdict);
    if (known.marked_after !== undefined) {
      expect([...current.marks].sort((a, b) => a - b)).toEqual(known.marked_after);
    }
    if (known.dead_after === true) {
      expect(current.isDead).toBe(true);
    }
  });
});

function verdictOf(status: number, header: string, isNeverForwarded?: boolean): string {
  if (status === 200) {
    return 'go on';
  }
  if (isNeverForwarded === undefined) {
    const isUnproved = header.startsWith(`1.error.${status}.0.`);
    return isUnproved ? `unproved ${status}` : `unsigned ${status}${header}`;
  }
  return `${status} p=${isNeverForwarded ? 0 : 1}`;
}
