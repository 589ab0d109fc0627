import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { All, Controller, Post, Req, Res, UseFilters, UseInterceptors } from '@nestjs/common';
import { Clock } from '@relay/clock';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { RelayConfig } from '@relay/config';
import { AcceptedKeys, KeyRing, PAIR_PATH, exchangeName, type SecretKeys } from '@relay/protocol';
import {
  PairSenderInterceptor,
  RelayName,
  SenderSigner,
  TunnelSenderInterceptor,
  checkedPairHeaders,
  readPairRequest,
  verifiedRequestFor,
} from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { OUTBOUND_ROUTE, TUNNEL_ROUTE } from '../../../apps/relay/src/server/request-routing.js';
import { RelayErrorFilter } from '../../../apps/relay/src/errors/relay-error.filter.js';
import { RelayLog } from '../../../apps/relay/src/telemetry/relay-log.js';
import { RelayMetrics } from '../../../apps/relay/src/telemetry/relay-metrics.js';
import { recordOf } from '../../../apps/relay/src/telemetry/request-record.js';
import { RequestReports } from '../../../apps/relay/src/telemetry/request-reports.js';
import { Traces } from '../../../apps/relay/src/traces/traces.js';
import { createRelayAdapter } from '../../../apps/relay/src/server/relay-adapter.js';
import { request, type ClientResponse } from '../clients/client.js';
import { relayConfig } from './config.js';
import { HandMovedClock } from '../time/hand-moved-clock.js';
import { Recorder } from '../lifecycle/recorder.js';

/** The logs show this exchange as `E2uOwaOy-7`. */
const TUNNEL_HEADER = '1.E2uOwaOy1rJ0iSmtbBjUiw.7.0.mke.AQEBAQEBAQEBAQEBAQEBAQ';
const PAIR_BODY = 'a pairing request';

/** The routes of a relay, where every request fails with the error that a test chooses. */
export interface FailingApp {
  readonly port: number;
  readonly url: string;
  readonly clock: HandMovedClock;
  readonly secretKeys: SecretKeys;
  readonly log: Recorder<Readonly<Record<string, unknown>>>;
  failWith(error: unknown): void;
  /** Begins a response, and fails once the client has received the part that was written. */
  failAfter(written: string, isRead: Promise<unknown>, error: Error): void;
  /** Sends a valid signed request of another relay, with these headers added or replaced. */
  sendSigned(
    purpose: 'tunnel' | 'pair',
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly response: ClientResponse; readonly clientIdHeader: string }>;
  close(): Promise<void>;
}

export async function startFailingApp(): Promise<FailingApp> {
  const keyRing = await KeyRing.derive('a-secret-that-both-relays-hold-1');
  const signer = new SenderSigner(keyRing.current, 'relay-a');
  const clock = new HandMovedClock();
  const log = new Recorder<Readonly<Record<string, unknown>>>();
  const destination = {
    write: (line: string) => {
      log.add(JSON.parse(line) as Readonly<Record<string, unknown>>);
    },
  };
  let fail: (reply: FastifyReply) => Promise<void> = () => Promise.resolve();

  @Controller()
  @UseFilters(RelayErrorFilter)
  class FailingController {
    @All(OUTBOUND_ROUTE)
    outbound(@Res() reply: FastifyReply): Promise<void> {
      return fail(reply);
    }

    @All(TUNNEL_ROUTE)
    @UseInterceptors(TunnelSenderInterceptor)
    tunnel(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const { header } = verifiedRequestFor(request.raw, 'tunnel');
      recordOf(request.raw).exchange = exchangeName(header);
      return fail(reply);
    }

    @Post(PAIR_PATH)
    @UseInterceptors(PairSenderInterceptor)
    async pair(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      await readPairRequest(request.raw, checkedPairHeaders(request.raw), keyRing);
      return fail(reply);
    }
  }

  const module = await Test.createTestingModule({
    controllers: [FailingController],
    providers: [
      RelayErrorFilter,
      { provide: Traces, useValue: new Traces(undefined, 0) },
      RequestReports,
      RelayMetrics,
      { provide: RelayLog, useValue: new RelayLog('info', destination) },
      { provide: AcceptedKeys, useValue: keyRing },
      { provide: RelayName, useValue: new RelayName('relay-b') },
      { provide: Clock, useValue: clock },
      { provide: RelayConfig, useValue: relayConfig() },
    ],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(
    createRelayAdapter(relayConfig()),
    {
      bodyParser: false,
      logger: false,
    },
  );
  await app.listen(0, '127.0.0.1');
  const server: Server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  return {
    port,
    url,
    clock,
    secretKeys: keyRing.current,
    log,
    failWith: (error) => {
      fail = () => {
        throw error as Error;
      };
    },
    failAfter: (written, isRead, error) => {
      fail = async (reply) => {
        reply.raw.write(written);
        await isRead;
        throw error;
      };
    },
    sendSigned: async (purpose, headers = {}) => {
      const body = purpose === 'pair' ? PAIR_BODY : '';
      const relayHeader = purpose === 'pair' ? '1' : TUNNEL_HEADER;
      const signed = { purpose, body: Buffer.from(body) } as const;
      const clientIdHeader = signer.sign(relayHeader, signed);
      const response = await request(url, {
        method: 'POST',
        path: purpose === 'pair' ? PAIR_PATH : '/api/mte-tunnel',
        headers: { 'x-mte-relay': relayHeader, 'x-mte-client-id': clientIdHeader, ...headers },
        body,
      });
      return { response, clientIdHeader };
    },
    close: async () => {
      server.closeAllConnections();
      await app.close();
    },
  };
}
