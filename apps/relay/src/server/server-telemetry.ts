import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { RequestReports } from '../telemetry/request-reports.js';
import type { RelayAdapter } from './relay-adapter.js';

/** Connects the HTTP server, which is created before any module, to the log and the metrics. */
@Injectable()
export class ServerTelemetry implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<RelayAdapter>,
    private readonly reports: RequestReports,
    private readonly metrics: RelayMetrics,
  ) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter;
    adapter.earlyRefusals.on('refused', (refusal, socket) => {
      this.reports.refusedEarly(refusal, socket);
    });
    adapter.earlyRefusals.on('lost', (error) => {
      this.reports.connectionLost(error);
    });
    this.metrics.openSockets.observe(() => adapter.connections.count, 'listener');
  }
}
