import { Module } from '@nestjs/common';

import { CertificateWatch } from './certificate-watch.js';
import { ServerTelemetry } from './server-telemetry.js';

/** What accompanies the HTTP server of clients and relays: its certificate as it changes, its log lines and its metrics. */
@Module({ providers: [CertificateWatch, ServerTelemetry] })
export class ServerModule {}
