import type { UpstreamTls } from '@relay/config';
import type { buildConnector } from 'undici';

import type { RelayLog } from '../telemetry/relay-log.js';
import { certificateFacts } from '../tls/certificate-facts.js';
import { WatchedFiles } from '../tls/watched-files.js';
import { connectorThatReportsResets } from './reset-connector.js';
import { upstreamTlsOptions, upstreamTlsPaths, type UpstreamTlsContents } from './upstream-tls.js';

/**
 * Connects to one API. If the TLS files for it change, new connections use the new ones. They resume no TLS session of before,
 * because that was verified, and this relay identified, with the previous files.
 */
export class UpstreamConnector {
  /** Undefined as long as no files could be used. */
  private current: buildConnector.connector | undefined;
  private failure = new Error('no TLS files have been read');
  private readonly files: WatchedFiles<string> | undefined;

  /** @param upstream - URL of the API, for the log */
  constructor(
    private readonly upstream: string,
    private readonly tls: UpstreamTls,
    private readonly timeoutMs: number,
    private readonly log: RelayLog,
  ) {
    const paths = upstreamTlsPaths(tls);
    if (Object.keys(paths).length === 0) {
      this.current = this.connectorWith({});
      return;
    }
    this.files = new WatchedFiles(paths);
    this.files.watch(this.readNow(this.files), {
      onChange: (contents) => {
        this.use(contents);
      },
      onUnreadable: (error) => {
        this.refuse(error);
      },
    });
  }

  /** For undici. Without usable files there are no connections: this relay would show up as somebody else, or believe anybody. */
  readonly connect: buildConnector.connector = (options, callback) => {
    if (this.current === undefined) {
      callback(this.failure, null);
    } else {
      this.current(options, callback);
    }
  };

  /** Looks at the files no more. */
  close(): void {
    this.files?.close();
  }

  /** The files were valid when the configuration was read, which does not mean that they still are. */
  private readNow(files: WatchedFiles<string>): UpstreamTlsContents | undefined {
    try {
      const contents = files.read();
      this.current = this.connectorWith(contents);
      return contents;
    } catch (error) {
      this.refuse(error);
      return undefined;
    }
  }

  private connectorWith(contents: UpstreamTlsContents): buildConnector.connector {
    return connectorThatReportsResets(this.timeoutMs, upstreamTlsOptions(this.tls, contents));
  }

  private use(contents: UpstreamTlsContents): void {
    try {
      this.current = this.connectorWith(contents);
    } catch (error) {
      this.refuse(error);
      return;
    }
    this.log.info('new TLS files for the API are in use', {
      address: this.upstream,
      certificate: factsOf(contents),
    });
  }

  private refuse(error: unknown): void {
    const fields = { address: this.upstream, error };
    if (this.current === undefined) {
      this.failure = new Error('TLS files for the API are unusable', { cause: error });
      this.log.error('TLS files for the API are unusable: it is not called', fields);
    } else {
      this.log.error('new TLS files for the API are unusable: the previous ones stay', fields);
    }
  }
}

function factsOf({ cert }: UpstreamTlsContents): Record<string, unknown> | undefined {
  if (cert === undefined) {
    return undefined;
  }
  const { names, issuer, validToMs } = certificateFacts(cert);
  return { names, issuer, validTo: new Date(validToMs).toISOString() };
}
