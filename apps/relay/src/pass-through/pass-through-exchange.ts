import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { rawFieldValues, withoutFields } from '@relay/fields';
import {
  BodyIdleError,
  BodyReader,
  ClientGoneError,
  ConnectionAuthUnsupportedError,
  Deferred,
  EXCHANGE_OVER,
  IdleTimer,
  JoinedEnds,
  ResponseWriter,
  SocketEnd,
  isClientGone,
  isEventStream,
  resetConnection,
  withoutConnectionChallenges,
  type Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import { forwardedFields, isSameProtocol, type RequestHead } from '@relay/protocol';

import { maxBufferMs } from '../admission/message-buffer.js';
import { clientFields } from '../client/client-fields.js';
import type { ClientUpgrade } from '../client/client-upgrade.js';
import { recordOf } from '../telemetry/request-record.js';
import type { UpstreamClient } from '../upstream/upstream-client.js';
import type { UpstreamSettings } from '../upstream/upstream-settings.js';
import { upstreamError } from '../upstream/upstream.errors.js';

const SWITCHING_PROTOCOLS = 101;

/** One plaintext request to the upstream and its plaintext response, streamed in both directions. */
export class PassThroughExchange implements ExchangeEvents {
  private readonly writer: ResponseWriter;
  private readonly body: BodyReader;
  private readonly end = new Deferred<number>();
  private exchange: Exchange | undefined;
  private headTimer: NodeJS.Immediate | undefined;
  private status = 0;
  private joined: JoinedEnds | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly settings: UpstreamSettings,
    private readonly upgrade?: ClientUpgrade,
  ) {
    this.body = new BodyReader(request, settings.idleTimeoutMs);
    this.writer = new ResponseWriter(response, settings.idleTimeoutMs, () => {
      this.exchange?.resume();
    });
  }

  /**
   * @param hasBody - whether the request is framed as having one
   * @returns the status of the response, once the response has been sent
   * @throws UpstreamError, ConnectionAuthUnsupportedError, ClientGoneError, BodyAbortedError
   */
  async run(upstream: UpstreamClient, head: RequestHead, hasBody: boolean): Promise<number> {
    const onClose = (): void => {
      if (!this.response.writableFinished) {
        this.exchange?.abort(new ClientGoneError('the client has gone away'));
      }
    };
    const tooSlow = this.limitOfBody();
    this.response.once('close', onClose);
    try {
      const { upgrade } = this;
      let body: Buffer | BodyReader | undefined = hasBody ? this.body : undefined;
      if (hasBody && upgrade !== undefined) {
        body = await upgrade.readBody(this.settings.idleTimeoutMs);
      }
      this.exchange = upstream.send(head, body, 'anybody', this, {
        upgrade: upgrade?.protocol,
        trace: recordOf(this.request).trace,
      });
      return await this.end.promise;
    } finally {
      tooSlow.stop();
      this.response.off('close', onClose);
      this.body.cancel(EXCHANGE_OVER);
    }
  }

  /**
   * Starts the time limit of the whole body. Without it, anybody could keep a place for days with a byte now and then, which no
   * limit on silence ends. Once the body has arrived, the limit has no effect.
   */
  private limitOfBody(): IdleTimer {
    const limitMs = maxBufferMs(this.settings.idleTimeoutMs);
    const tooSlow = new IdleTimer(limitMs, () => {
      this.body.cancel(new BodyIdleError(`the body is not complete after ${limitMs} ms`));
    });
    tooSlow.touch();
    return tooSlow;
  }

  /** Bytes of both bodies that have been read and written so far. */
  get bytes(): { readonly in: number; readonly out: number } {
    return { in: this.body.bytes, out: this.writer.bytes };
  }

  /** The ends of the connection, if it was upgraded. */
  get ends(): JoinedEnds | undefined {
    return this.joined;
  }

  /** Whether the request was sent to the upstream a second time. */
  get wasRepeated(): boolean {
    return this.exchange?.wasRepeated === true;
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    let fields: string[];
    try {
      fields = withoutConnectionChallenges(status, forwardedFields(rawFields));
    } catch (error) {
      this.exchange?.abort(error as ConnectionAuthUnsupportedError);
      return;
    }
    if (isEventStream(fields)) {
      this.exchange?.allowSilence();
    }
    // RESPONSE_HEADERS may contain credentials, and this client has shown no token.
    this.writer.start(status, clientFields(fields, this.settings.headers, this.settings));
    recordOf(this.request).sentStatus = status;
    // A body that arrives within one turn of the event loop leaves in the same write.
    this.headTimer = setImmediate(() => {
      this.writer.flushHead();
    });
  }

  onData(chunk: Buffer): boolean {
    clearImmediate(this.headTimer);
    return this.writer.write(chunk);
  }

  onEnd(): void {
    clearImmediate(this.headTimer);
    this.writer.end();
    this.end.resolve(this.status);
  }

  onUpgrade(rawFields: readonly (string | Buffer)[], socket: Socket): void {
    const { upgrade } = this;
    const switched = rawFieldValues(rawFields, 'upgrade').join(', ');
    if (upgrade === undefined || !isSameProtocol(switched, upgrade.protocol)) {
      resetConnection(socket);
      const cause = new Error('the upstream switched to another protocol than it was asked for');
      this.onFailure({ kind: 'reset', wasSent: true, hasHead: true, cause });
      return;
    }
    const { headers, idleTimeoutMs } = this.settings;
    const fields = withoutFields(forwardedFields(rawFields), new Set(['content-length']));
    const client = upgrade.accept(clientFields(fields, headers, this.settings));
    this.joined = new JoinedEnds(client, new SocketEnd(socket), idleTimeoutMs);
    this.joined.run();
    this.end.resolve(SWITCHING_PROTOCOLS);
  }

  onFailure(failure: ExchangeFailure): void {
    clearImmediate(this.headTimer);
    if (this.writer.isStarted) {
      this.writer.reset();
    }
    const { cause } = failure;
    const isOurs = isClientGone(cause) || cause instanceof ConnectionAuthUnsupportedError;
    this.end.reject(isOurs ? cause : upstreamError(failure));
  }
}
