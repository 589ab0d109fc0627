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

/** Each check reads two small files, which costs next to nothing. */
const CHECK_INTERVAL_MS = 1_000;

/** The certificate in the files, or the error if they cannot be read. */
interface Finding {
  /** Identifies the content, so that changes are noticed. */
  readonly name: string;
  readonly certificate?: Certificate;
  readonly error?: unknown;
}

/**
 * Starts using a new certificate when its files change. It applies to new connections; existing ones are not affected. If the
 * new files cannot be used, the previous certificate stays in use.
 *
 * The content is compared, because neither timestamps nor file system events are reliable: Kubernetes swaps symbolic links,
 * files are copied with old timestamps, and folders are mounted over networks.
 */
@Injectable()
export class CertificateWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isChecking = false;
  /** The name of the content that is in use, or that was reported as unusable. */
  private known = '';
  /** The name of content that the last check was the first to find. It may be incomplete: the files are written separately. */
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
    this.report('the certificate is in use', certificate);
    this.timer = setInterval(() => void this.check(files), CHECK_INTERVAL_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async check(files: CertificateFiles): Promise<void> {
    if (this.isChecking) {
      return;
    }
    this.isChecking = true;
    const found = await find(files);
    this.isChecking = false;
    if (found.name === this.known) {
      this.unsettled = '';
    } else if (found.name === this.unsettled) {
      this.known = found.name;
      this.use(found);
    } else {
      this.unsettled = found.name;
    }
  }

  private use({ certificate, error }: Finding): void {
    try {
      if (certificate === undefined) {
        throw error;
      }
      // Validate the pair before changing the server.
      tryKeyPair(certificate);
      const server: unknown = this.host.httpAdapter.getHttpServer();
      if (server instanceof Server) {
        server.setSecureContext(secureContextOptions(certificate));
      }
      this.report('a new certificate is in use', certificate);
    } catch (reason) {
      this.log.error('the new certificate cannot be used: the previous one stays in use', {
        error: reason,
      });
    }
  }

  private report(message: string, certificate: Certificate): void {
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
