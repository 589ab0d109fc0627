import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { StreamCode, type Stream, type StreamEvents } from '@relay/channel';
import { RelayStatus } from '@relay/errors';
import { connectionAuthRefusal } from '@relay/http';
import { checkRequestHead, decodeRequestHead, type RequestHead } from '@relay/protocol';

import { ConcurrencyLimit, NO_PLACE } from '../admission/concurrency-limit.js';
import { RequestRecord } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import type { Tenant } from '../upstream/tenant.js';
import { refuseStream, rejectStream, type StreamOrigin } from './refused-stream.js';
import { StreamExchange } from './stream-exchange.js';

/** Serves the streams that peers open in their channels. protocol.md section 11.3. */
@Injectable()
export class StreamReceiver {
  constructor(
    private readonly concurrency: ConcurrencyLimit,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Takes a stream that has just been opened. A stream that is refused or rejected is never forwarded.
   *
   * @param head - of the request; not decoded
   * @param isLast - whether no body follows
   * @returns what hears of the stream
   */
  receive(stream: Stream, head: Buffer, isLast: boolean, origin: StreamOrigin): StreamEvents {
    const record = new RequestRecord(randomUUID(), 'inbound');
    record.exchange = `${origin.exchange}.${stream.id}`;
    record.peer = origin.peer;
    if (!this.concurrency.tryTake()) {
      const code = 'RELAY_OVERLOADED';
      const end = { status: RelayStatus.OVERLOADED, code, error: new Error(NO_PLACE) } as const;
      this.reports.refused(record, end, origin.socket);
      return refuseStream(stream, StreamCode.REFUSED_STREAM);
    }
    let request: RequestHead;
    try {
      request = decodeRequestHead(head);
      checkRequestHead(request);
    } catch (error) {
      this.concurrency.release();
      return rejectStream(stream, error, (end) => {
        this.reports.refused(record, end, origin.socket);
      });
    }
    this.reports.begun(record, request);
    const { tenant } = origin;
    const refusal = tenant.routeRule.refusalOf(request) ?? connectionAuthRefusal(request.fields);
    const exchange = new StreamExchange(
      { stream, head: request, headBytes: head.length, hasBody: !isLast, refusal, record },
      tenant.settings,
    );
    queueMicrotask(() => void this.serve(exchange, tenant, stream, record));
    return exchange;
  }

  private async serve(
    exchange: StreamExchange,
    { upstream }: Tenant,
    stream: Stream,
    record: RequestRecord,
  ): Promise<void> {
    const end = await exchange.run(upstream);
    this.concurrency.release();
    stream.release();
    if (end.status === undefined) {
      this.reports.cutOff(record, end);
    } else {
      this.reports.completed(record, end);
    }
  }
}
