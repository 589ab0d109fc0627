import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WaitingOctets } from '@relay/channel';
import { Clock } from '@relay/clock';
import { RelayConfig, shownName } from '@relay/config';

import { createRelayApp } from '../app.factory.js';
import { ChannelReports } from '../channels/channel-reports.js';
import { ChannelOpener } from '../peers/channel-opener.js';
import { ConnectionChannels } from '../peers/connection-channels.js';
import { PairingClient } from '../peers/pairing-client.js';
import { PeerOrigins, type NamedPeer } from '../peers/peer-origin.js';
import { PeerProxies } from '../peers/peer-proxies.js';
import { UpstreamHeaderInvalidError, UpstreamRefusedError } from '../peers/peers.errors.js';
import type { Peer } from '../peers/peer.js';
import { PeersService } from '../peers/peers.service.js';
import { guardedLookup } from '../peers/refused-addresses.js';
import { SessionChecker } from '../peers/session-checker.js';
import { openForConnection, openOne, type ChannelParts } from './channels.js';
import { configurationForCheck, type CheckConfiguration } from './configuration.js';
import { exchangeMessages } from './message.js';
import { pair } from './pairing.js';
import { destinationOf, reach } from './reach.js';
import { askRelay } from './relay-response.js';
import { sendRequest, type CheckRequest } from './request.js';
import { NOT_REACHED, StepFailedError, Steps, type Step, type StepName } from './steps.js';

/** How long a step may take that the check does itself, if nothing else is said. */
const STEP_LIMIT_MS = 5_000;
/** How long a relay itself waits: for each of the two attempts to pair, a message, and an opening and its first record. */
const RELAY_LIMITS = { pairingMs: 20_000, messageMs: 10_000, channelMs: 10_000 };

/** What is to be checked, and how. */
export interface CheckOptions {
  /** The origin of relay B, or the name of a peer. */
  readonly target: string;
  /** The client of the directory that is asked for; undefined: one that may reach every peer. */
  readonly client?: string | undefined;
  /** Reaches the API; undefined: nothing does. */
  readonly request?: CheckRequest | undefined;
  /** How long each step may take that the check does itself. */
  readonly limitMs?: number | undefined;
  /** How long those may take that it leaves to the code of the relay; undefined: as long as a relay itself waits. */
  readonly relayLimitMs?: number | undefined;
  /** undefined: that of the process, and `.env`. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Called for each step as soon as it has ended, in order. */
  readonly onStep?: ((step: Step) => void) | undefined;
}

/** What a check has found. */
export interface CheckReport {
  readonly target: string;
  /** Whether no step has failed. */
  readonly ok: boolean;
  /** Whether requests pass, be it only as messages because channels do not. */
  readonly requestsPass: boolean;
  /** Identifies our secret without revealing it; undefined if there is no valid configuration. */
  readonly keyId: string | undefined;
  readonly ms: number;
  readonly steps: readonly Step[];
}

/** Checks whether this relay's configuration leads to a working tunnel, step by step. docs/check.md. */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const startedAtMs = performance.now();
  const ended: Step[] = [];
  const onStep = (step: Step): void => {
    ended.push(step);
    options.onStep?.(step);
  };
  const { keyId, passesMessages } = await checkAll(options, onStep);
  const failed = ended.filter(({ ok }) => ok === false).map(({ step }) => step);
  return {
    target: withoutPassword(options.target),
    ok: failed.length === 0,
    requestsPass: passesMessages && failed.every((step) => OF_CHANNELS.has(step)),
    keyId,
    ms: Math.round(performance.now() - startedAtMs),
    steps: ended,
  };
}

/** What was known of the peer once it was found. */
interface Outline {
  /** The key id of our secret. */
  readonly keyId: string | undefined;
  /** Whether requests to it may go as messages. */
  readonly passesMessages: boolean;
}

const NO_PEER: Outline = { keyId: undefined, passesMessages: false };
/** A relay does without them. */
const OF_CHANNELS: ReadonlySet<StepName> = new Set(['channel', 'websocket']);

async function checkAll(options: CheckOptions, onStep: (step: Step) => void): Promise<Outline> {
  const before = new Steps(undefined, onStep);
  let configuration: CheckConfiguration;
  try {
    configuration = configurationForCheck(options.environment, options.client);
  } catch (error) {
    endBefore(before, error);
    return NO_PEER;
  }
  const app = await createRelayApp(configuration.config);
  try {
    const named = peerOf(app, options.target, configuration);
    let isSent = false;
    for (const origin of named.origins) {
      const steps = new Steps(origin, onStep);
      steps.pass('configuration', describe(named, configuration.config));
      const originCheck = new OriginCheck({ app, named, origin, options, configuration });
      isSent = (await originCheck.run(steps, isSent)) || isSent;
      steps.skipRest(NOT_REACHED);
    }
    const { keys, entry } = named.known;
    return { keyId: keys.current.kid, passesMessages: entry.transport !== 'channel' };
  } catch (error) {
    endBefore(before, error);
    return NO_PEER;
  } finally {
    await app.close();
  }
}

/** @throws what is no failure of a step */
function endBefore(steps: Steps, error: unknown): void {
  if (!(error instanceof StepFailedError)) {
    throw error;
  }
  steps.fail('configuration', error);
  steps.skipRest(NOT_REACHED);
}

function peerOf(
  app: NestFastifyApplication,
  target: string,
  { client }: CheckConfiguration,
): NamedPeer {
  try {
    return app.get(PeerOrigins).parse(target, client);
  } catch (error) {
    if (error instanceof UpstreamRefusedError || error instanceof UpstreamHeaderInvalidError) {
      const shown = `"${withoutPassword(target)}"`;
      const message = error.message.replace('x-mte-upstream', () => shown);
      throw new StepFailedError('CHECK_PEER_UNKNOWN', message);
    }
    throw error;
  }
}

function withoutPassword(target: string): string {
  return target.replace(/\/\/[^/@]*@/, '//***@');
}

function describe({ known }: NamedPeer, config: RelayConfig): string {
  const peer = shownName(known.name) ?? 'of the variables';
  const { transport } = known.entry;
  const name = config.clientId === undefined ? '' : `, CLIENT_ID ${config.clientId}`;
  return `peer ${peer}; key id ${known.keys.current.kid}; TUNNEL_TRANSPORT ${transport}${name}`;
}

/** What the steps to one origin need. */
interface OriginParts {
  readonly app: NestFastifyApplication;
  readonly named: NamedPeer;
  readonly origin: string;
  readonly options: CheckOptions;
  readonly configuration: CheckConfiguration;
}

/** The steps to one origin of a peer. */
class OriginCheck {
  constructor(private readonly parts: OriginParts) {}

  /** @returns whether the request was sent */
  async run(steps: Steps, isSent: boolean): Promise<boolean> {
    const { app, origin, options, named, configuration } = this.parts;
    const { known } = named;
    const limitMs = options.limitMs ?? STEP_LIMIT_MS;
    const { messageMs, pairingMs } = RELAY_LIMITS;
    const route = app.get(PeerProxies).routeTo(origin, known.entry.proxy);
    const lookup = app.get(PeerOrigins).areListed ? undefined : guardedLookup;
    const destination = destinationOf(origin, route, lookup, configuration.listener);
    const socket = await reach(steps, destination, limitMs);
    const response = socket && (await askRelay(steps, socket, origin, limitMs));
    if (response === undefined) {
      return false;
    }
    const peer = app.get(PeersService).peer({ origin, known });
    const client = app.get(PairingClient);
    const { aheadMs } = response;
    const pairLimitMs = options.relayLimitMs ?? pairingMs;
    if (!(await pair(steps, { peer, client, destination, aheadMs, limitMs, pairLimitMs }))) {
      return false;
    }
    const checker = app.get(SessionChecker);
    await exchangeMessages(steps, peer, checker, options.relayLimitMs ?? messageMs);
    await this.openChannels(steps, peer);
    if (options.request === undefined) {
      steps.skip('request', 'nothing is sent to the API without --request');
      return false;
    }
    if (isSent) {
      steps.skip('request', 'sent once: of several origins, a relay chooses one itself');
      return false;
    }
    const { token } = configuration;
    await sendRequest(steps, { app, token }, origin, options.request, limitMs);
    return true;
  }

  private async openChannels(steps: Steps, peer: Peer): Promise<void> {
    const { app, options } = this.parts;
    if (peer.known.entry.transport === 'message') {
      steps.skip('channel', 'TUNNEL_TRANSPORT is message here');
      steps.skip('websocket', 'TUNNEL_TRANSPORT is message here');
      return;
    }
    const parts = this.channelParts();
    const limitMs = options.relayLimitMs ?? RELAY_LIMITS.channelMs;
    if (!(await openOne(steps, peer, parts, limitMs))) {
      steps.skip('websocket', 'the step channel has failed');
    } else if (app.get(RelayConfig).upgradeProtocols.includes('websocket')) {
      await openForConnection(steps, peer, parts, limitMs);
    } else {
      steps.skip('websocket', 'UPGRADE_PROTOCOLS does not list websocket here');
    }
  }

  private channelParts(): ChannelParts {
    const { app } = this.parts;
    return {
      opener: app.get(ChannelOpener),
      reports: app.get(ChannelReports),
      waiting: app.get(WaitingOctets),
      clock: app.get<Clock>(Clock),
      connections: app.get(ConnectionChannels),
    };
  }
}
