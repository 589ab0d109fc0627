import { createHash } from 'node:crypto';
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
import type { RelayAdapter } from './relay-adapter.js';
import {
  certificateFacts,
  certificateFiles,
  readCertificateAgain,
  secureContextOptions,
  type Certificate,
  type CertificateFiles,
} from './certificate.js';

/** Two small files are read: nothing that could be felt. */
const LOOK_INTERVAL_MS = 1_000;

/** What was found in the files, or why nothing was. */
interface Finding {
  readonly name: string;
  readonly certificate?: Certificate;
  readonly error?: unknown;
}

/**
 * Takes a new certificate into use when its files change, for connections that are made from then on; those that exist
 * go on. What cannot be used changes nothing.
 *
 * The content is compared, not a time or an event: links are swapped (Kubernetes), files are copied with old dates, and
 * folders are mounted over networks.
 */
@Injectable()
export class CertificateWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;
  /** The content that is in use, or that was told to be of no use. */
  private known = '';
  /** What the last look found, if that was new: a pair is written one file after the other. */
  private unsettled = '';

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
    this.known = nameOf(certificate);
    this.tell('the certificate is in use', certificate);
    this.timer = setInterval(() => void this.look(files), LOOK_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(files: CertificateFiles): Promise<void> {
    if (this.isLooking) {
      return;
    }
    this.isLooking = true;
    const found = await find(files);
    this.isLooking = false;
    if (found.name === this.known) {
      this.unsettled = '';
    } else if (found.name === this.unsettled) {
      this.known = found.name;
      this.take(found);
    } else {
      this.unsettled = found.name;
    }
  }

  private take({ certificate, error }: Finding): void {
    try {
      if (certificate === undefined) {
        throw error;
      }
      // Before the server is touched.
      tryKeyPair(certificate);
      const server: unknown = this.host.httpAdapter.getHttpServer();
      if (server instanceof Server) {
        server.setSecureContext(secureContextOptions(certificate));
      }
      this.tell('a new certificate is in use', certificate);
    } catch (reason) {
      this.log.error('the new certificate cannot be used: the previous one stays in use', {
        error: reason,
      });
    }
  }

  private tell(message: string, certificate: Certificate): void {
    const { names, issuer, validFromMs, validToMs } = certificateFacts(certificate);
    const validTo = new Date(validToMs).toISOString();
    this.log.info(message, { certificate: { names, issuer, validTo } });
    this.metrics.certificateNotAfter.set(validToMs / 1000);
    const now = this.clock.nowMs();
    if (now < validFromMs || now > validToMs) {
      this.log.warn('the certificate is not valid now: clients will refuse it');
    }
  }
}

async function find(files: CertificateFiles): Promise<Finding> {
  try {
    const certificate = await readCertificateAgain(files);
    return { name: nameOf(certificate), certificate };
  } catch (error) {
    return { name: `unreadable: ${String((error as NodeJS.ErrnoException).code)}`, error };
  }
}

function nameOf({ cert, key }: Certificate): string {
  return createHash('sha256')
    .update(createHash('sha256').update(cert).digest())
    .update(key)
    .digest('base64');
}
