import { Server } from 'node:https';

import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Clock } from '@relay/clock';
import { HttpAdapterHost } from '@nestjs/core';
import { RelayConfig, tryKeyPair } from '@relay/config';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { certificateFacts } from '../tls/certificate-facts.js';
import { WatchedFiles } from '../tls/watched-files.js';
import type { RelayAdapter } from './relay-adapter.js';
import { certificateFiles, secureContextOptions, type Certificate } from './certificate.js';

/**
 * Starts using a new certificate when its files change. It applies to new connections; existing ones are not affected. If the
 * new files cannot be used, the previous certificate stays in use.
 */
@Injectable()
export class CertificateWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private files: WatchedFiles<'cert' | 'key'> | undefined;

  constructor(
    private readonly config: RelayConfig,
    private readonly host: HttpAdapterHost<RelayAdapter>,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    const files = certificateFiles(this.config);
    const { certificate } = this.host.httpAdapter;
    if (files === undefined || certificate === undefined) {
      return;
    }
    this.report('the certificate is in use', certificate);
    this.files = new WatchedFiles(files);
    this.files.watch(certificate, {
      onChange: (changed) => {
        this.use(changed);
      },
      onUnreadable: (error) => {
        this.refuse(error);
      },
    });
  }

  onApplicationShutdown(): void {
    this.files?.close();
  }

  private use(certificate: Certificate): void {
    try {
      // Validate the pair before changing the server.
      tryKeyPair(certificate);
      const server: unknown = this.host.httpAdapter.getHttpServer();
      if (server instanceof Server) {
        server.setSecureContext(secureContextOptions(certificate));
      }
      this.report('a new certificate is in use', certificate);
    } catch (error) {
      this.refuse(error);
    }
  }

  private refuse(error: unknown): void {
    this.log.error('the new certificate cannot be used: the previous one stays in use', { error });
  }

  private report(message: string, certificate: Certificate): void {
    const { names, issuer, validFromMs, validToMs } = certificateFacts(certificate.cert);
    const validTo = new Date(validToMs).toISOString();
    this.log.info(message, { certificate: { names, issuer, validTo } });
    this.metrics.certificateNotAfter.set(validToMs / 1000);
    const now = this.clock.nowMs();
    if (now < validFromMs || now > validToMs) {
      this.log.warn('the certificate is not valid now: clients will refuse it');
    }
  }
}
