import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import {
  All,
  Catch,
  Controller,
  Req,
  Res,
  UseFilters,
  UseInterceptors,
  type ArgumentsHost,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AcceptedKeys, type KeyRing } from '@relay/protocol';
import { RelayName } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { Recorder } from '../lifecycle/recorder.js';

/** Handles the requests that pass the interceptor, and sends the response itself. */
type RawHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A Nest application with one route and one interceptor, on a real socket. */
export interface InterceptorApp {
  readonly port: number;
  readonly url: string;
  /** The errors that the interceptor threw, in order; the response to each is a 500 that closes the connection. */
  readonly errors: Recorder<unknown>;
  close(): Promise<void>;
}

/** The client id of the application itself, under the current secret. */
export const OWN_CLIENT_ID = 'relay-b';

/** Starts the application with the settings of a relay: no body is parsed, whatever its type and method. */
export async function startInterceptorApp(
  interceptor: Type<NestInterceptor>,
  keyRing: KeyRing,
  handler: RawHandler,
): Promise<InterceptorApp> {
  const errors = new Recorder<unknown>();

  @Catch()
  class RecordingFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      errors.add(error);
      const reply = host.switchToHttp().getResponse<FastifyReply>();
      reply.hijack();
      reply.raw.writeHead(500, { connection: 'close' }).end();
    }
  }

  @Controller()
  @UseInterceptors(interceptor)
  @UseFilters(RecordingFilter)
  class RouteController {
    @All('*')
    async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      reply.hijack();
      await handler(request.raw, reply.raw);
    }
  }

  const module = await Test.createTestingModule({
    controllers: [RouteController],
    providers: [
      { provide: AcceptedKeys, useValue: keyRing },
      { provide: RelayName, useValue: new RelayName(OWN_CLIENT_ID) },
    ],
  }).compile();
  const adapter = new FastifyAdapter();
  adapter.getInstance().addHttpMethod('POST', { hasBody: false, overrideExisting: true });
  const app = module.createNestApplication<NestFastifyApplication>(adapter, {
    bodyParser: false,
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  const server: Server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    errors,
    close: async () => {
      server.closeAllConnections();
      await app.close();
    },
  };
}
