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
import { StepFailedError, Steps, type Step } from './steps.js';

/** How long a step may take if nothing else is said. */
const STEP_LIMIT_MS = 5_000;

/** What is to be checked, and how. */
export interface CheckOptions {
  /** The origin of relay B, or the name of a peer. */
  readonly target: string;
  /** The client of the directory that is asked for; undefined: one that may reach every peer. */
  readonly client?: string | undefined;
  /** Reaches the API; undefined: nothing does. */
  readonly request?: CheckRequest | undefined;
  /** How long each step may take. */
  readonly limitMs?: number | undefined;
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
  const keyId = await checkAll(options, onStep);
  return {
    target: options.target,
    ok: !ended.some(({ ok }) => ok === false),
    keyId,
    ms: Math.round(performance.now() - startedAtMs),
    steps: ended,
  };
}

/** @returns the key id of our secret */
async function checkAll(
  options: CheckOptions,
  onStep: (step: Step) => void,
): Promise<string | undefined> {
  const before = new Steps(undefined, onStep);
  let configuration: CheckConfiguration;
  try {
    configuration = configurationForCheck(options.environment, options.client);
  } catch (error) {
    endBefore(before, error);
    return undefined;
  }
  const app = await createRelayApp(configuration.config);
  try {
    const named = peerOf(app, options.target, configuration);
    for (const origin of named.origins) {
      const steps = new Steps(origin, onStep);
      steps.pass('configuration', describe(named, configuration.config));
      await new OriginCheck(app, named, origin, options).run(steps, configuration.token);
      steps.skipRest('not reached');
    }
    return named.known.keys.current.kid;
  } catch (error) {
    endBefore(before, error);
    return undefined;
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
  steps.skipRest('not reached');
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
      const message = error.message.replace('x-mte-upstream', `"${target}"`);
      throw new StepFailedError('CHECK_PEER_UNKNOWN', message);
    }
    throw error;
  }
}

function describe({ known }: NamedPeer, config: RelayConfig): string {
  const peer = shownName(known.name) ?? 'of the variables';
  const { transport } = known.entry;
  const name = config.clientId === undefined ? '' : `, CLIENT_ID ${config.clientId}`;
  return `peer ${peer}; key id ${known.keys.current.kid}; TUNNEL_TRANSPORT ${transport}${name}`;
}

/** The steps to one origin of a peer. */
class OriginCheck {
  private readonly limitMs: number;

  constructor(
    private readonly app: NestFastifyApplication,
    private readonly named: NamedPeer,
    private readonly origin: string,
    private readonly options: CheckOptions,
  ) {
    this.limitMs = options.limitMs ?? STEP_LIMIT_MS;
  }

  async run(steps: Steps, token: string): Promise<void> {
    const { app, origin, limitMs, options } = this;
    const { known } = this.named;
    const route = app.get(PeerProxies).routeTo(origin, known.entry.proxy);
    const lookup = app.get(PeerOrigins).areListed ? undefined : guardedLookup;
    const destination = destinationOf(origin, route, lookup);
    const socket = await reach(steps, destination, limitMs);
    const response = socket && (await askRelay(steps, socket, origin, limitMs));
    if (response === undefined) {
      return;
    }
    const peer = app.get(PeersService).peer({ origin, known });
    const client = app.get(PairingClient);
    const { aheadMs } = response;
    if (!(await pair(steps, { peer, client, destination, aheadMs, limitMs }))) {
      return;
    }
    await exchangeMessages(steps, peer, app.get(SessionChecker), limitMs);
    if (known.entry.transport === 'message') {
      steps.skip('channel', 'TUNNEL_TRANSPORT is message here');
      steps.skip('websocket', 'TUNNEL_TRANSPORT is message here');
    } else {
      const parts = this.channelParts();
      await openOne(steps, peer, parts, limitMs);
      if (app.get(RelayConfig).upgradeProtocols.includes('websocket')) {
        await openForConnection(steps, peer, parts, limitMs);
      } else {
        steps.skip('websocket', 'UPGRADE_PROTOCOLS does not list websocket here');
      }
    }
    if (options.request === undefined) {
      steps.skip('request', 'nothing is sent to the API without --request');
    } else if (origin !== this.named.origins[0]) {
      steps.skip('request', 'sent once: of several origins, a relay chooses one itself');
    } else {
      await sendRequest(steps, { app, token }, origin, options.request, limitMs);
    }
  }

  private channelParts(): ChannelParts {
    const { app } = this;
    return {
      opener: app.get(ChannelOpener),
      reports: app.get(ChannelReports),
      waiting: app.get(WaitingOctets),
      clock: app.get<Clock>(Clock),
      connections: app.get(ConnectionChannels),
    };
  }
}
