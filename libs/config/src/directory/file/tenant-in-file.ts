import { type HeaderField } from '../../rules/headers.js';
import { method } from '../../rules/method.js';
import { route } from '../../rules/routes.js';
import { upstreamHost } from '../../rules/upstream-host.js';
import { baseUrl, origin } from '../../rules/url.js';
import { list, Mapping, Optional, text, Value } from './keys.js';
import { FileSource } from './sources.js';
import { fieldName, fields, HEADER_RULES, name, serverName } from './values.js';

/** A tenant's `upstreamTls`. */
export class UpstreamTlsInFile {
  /** The authorities that the API is verified against; without it, those of Node.js. */
  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly ca?: FileSource;

  /** The certificate that this relay presents to the API. */
  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly cert?: FileSource;

  /** The private key of `cert`, without a passphrase. */
  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly key?: FileSource;

  /** The name that the certificate of the API must have; without it, the host of `upstream`. */
  @Optional()
  @Value(serverName)
  readonly serverName?: string;
}

/** A key of `tenants`. */
export class TenantInFile {
  /** Further origins by which peers address this tenant. */
  @Optional()
  @Value(list(text(origin)))
  readonly aliases?: readonly string[];

  /** URL of the API: http or https, a base path is allowed. */
  @Value(text(baseUrl))
  readonly upstream!: string;

  /** TLS towards the API. */
  @Optional()
  @Mapping(() => UpstreamTlsInFile)
  readonly upstreamTls?: UpstreamTlsInFile;

  /** As UPSTREAM_HOST: `upstream`, `client` or a fixed host. */
  @Optional()
  @Value(text(upstreamHost))
  readonly upstreamHost?: string;

  /** Names of the peers that may enter; without it, all. */
  @Optional()
  @Value(list(name))
  readonly peers?: readonly string[];

  /** As MTE_ROUTES: what peers may request; without it, everything. */
  @Optional()
  @Value(list(text(route)))
  readonly routes?: readonly string[];

  /** As PASS_THROUGH_ROUTES: what is forwarded without sealing. */
  @Optional()
  @Value(list(text(route)))
  readonly passThroughRoutes?: readonly string[];

  /** As CORS_ORIGINS: browser origins for which this relay handles CORS; without it, the API does. */
  @Optional()
  @Value(list(text(origin)))
  readonly corsOrigins?: readonly string[];

  /** As CORS_METHODS, which is the default. */
  @Optional()
  @Value(list(text(method)))
  readonly corsMethods?: readonly string[];

  /** As HEADERS, which is the default. */
  @Optional()
  @Value(fields(HEADER_RULES.headers))
  readonly headers?: readonly HeaderField[];

  /** As REQUEST_HEADERS, which is the default. */
  @Optional()
  @Value(fields(HEADER_RULES.requestHeaders))
  readonly requestHeaders?: readonly HeaderField[];

  /** As RESPONSE_HEADERS, which is the default. */
  @Optional()
  @Value(fields(HEADER_RULES.responseHeaders))
  readonly responseHeaders?: readonly HeaderField[];

  /** Name of the field in which the API is told the name of the client. */
  @Optional()
  @Value(fieldName)
  readonly forwardClient?: string;
}
