import { IsIn } from 'class-validator';

import {
  headerFields,
  requestHeaderFields,
  responseHeaderFields,
  type HeaderField,
} from '../../rules/headers.js';
import { method } from '../../rules/method.js';
import { route } from '../../rules/routes.js';
import { Refused } from '../../rules/rule.js';
import { upstreamHost } from '../../rules/upstream-host.js';
import { baseUrl, origin } from '../../rules/url.js';
import { TUNNEL_TRANSPORTS, type TunnelTransport } from '../../transport-options.js';
import { moment } from './date.js';
import { list, Mapping, MappingList, Optional, text, Value, WholeNumber } from './keys.js';

const HOW_SECRET =
  'must be { file: PATH } or { env: NAME }: a secret does not stand in this file itself';

/** What a name of a peer or a client looks like: never like an origin. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const name = text((given) =>
  NAME.test(given) ? given : new Refused('must be 1 to 64 letters, digits, "_" or "-"'),
);
const notEmpty = text((given) =>
  given.trim() === '' || given.includes('\0') ? new Refused('must not be empty') : given,
);
const variable = text((given) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(given) ? given : new Refused('must be the name of a variable'),
);
const digest = text((given) =>
  /^[0-9a-f]{64}$/i.test(given)
    ? given.toLowerCase()
    : new Refused('must be the SHA-256 of a token: 64 hexadecimal digits'),
);
const serverName = text((given) =>
  /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/.test(given)
    ? given.toLowerCase()
    : new Refused('must be a host name'),
);
const fieldName = text((given) => {
  const fields = requestHeaderFields(JSON.stringify({ [given]: '' }));
  const isClientField = given.toLowerCase() === 'x-mte-client';
  return isClientField || !(fields instanceof Refused)
    ? given.toLowerCase()
    : new Refused('must be the name of a field that the relay may set');
});
const fields =
  (read: (text: string) => readonly HeaderField[] | Refused) =>
  (value: unknown): readonly HeaderField[] | Refused =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? read(JSON.stringify(value))
      : new Refused('must be a mapping of field names to text');

/** Where a secret is: in a file or in a variable. */
export class SecretSource {
  @Optional()
  @Value(notEmpty)
  readonly file?: string;

  @Optional()
  @Value(variable)
  readonly env?: string;
}

/** Where a PEM file is. */
export class FileSource {
  @Value(notEmpty)
  readonly file!: string;
}

/** A key of `peers`. */
export class PeerInFile {
  @Optional()
  @Value(list(text(origin)))
  readonly origins?: readonly string[];

  @Mapping(() => SecretSource, HOW_SECRET)
  readonly secret!: SecretSource;

  @Optional()
  @Mapping(() => SecretSource, HOW_SECRET)
  readonly secretAlt?: SecretSource;

  @Optional()
  @IsIn(TUNNEL_TRANSPORTS, { message: `must be one of ${TUNNEL_TRANSPORTS.join(', ')}` })
  readonly transport?: TunnelTransport;

  @Optional()
  @Mapping(
    () => SecretSource,
    'must be { file: PATH } or { env: NAME }: the URL may have a password',
  )
  readonly proxy?: SecretSource;
}

/** An entry of a client's `tokens`. */
export class TokenInFile {
  @Value(digest)
  readonly sha256!: string;

  @Optional()
  @Value(text(moment))
  readonly expires?: number;
}

/** A client's `limits`. */
export class LimitsInFile {
  @Optional()
  @WholeNumber(1, 1_000_000)
  readonly requestsPerSecond?: number;

  @Optional()
  @WholeNumber(1, 1_000_000)
  readonly concurrent?: number;
}

/** A key of `clients`. */
export class ClientInFile {
  @MappingList(() => TokenInFile)
  readonly tokens!: readonly TokenInFile[];

  @Optional()
  @Value(list(name))
  readonly peers?: readonly string[];

  @Optional()
  @Mapping(() => LimitsInFile)
  readonly limits?: LimitsInFile;
}

/** A tenant's `upstreamTls`. */
export class UpstreamTlsInFile {
  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly ca?: FileSource;

  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly cert?: FileSource;

  @Optional()
  @Mapping(() => FileSource, 'must be { file: PATH }')
  readonly key?: FileSource;

  @Optional()
  @Value(serverName)
  readonly serverName?: string;
}

/** A key of `tenants`. */
export class TenantInFile {
  @Optional()
  @Value(list(text(origin)))
  readonly aliases?: readonly string[];

  @Value(text(baseUrl))
  readonly upstream!: string;

  @Optional()
  @Mapping(() => UpstreamTlsInFile)
  readonly upstreamTls?: UpstreamTlsInFile;

  @Optional()
  @Value(text(upstreamHost))
  readonly upstreamHost?: string;

  @Optional()
  @Value(list(name))
  readonly peers?: readonly string[];

  @Optional()
  @Value(list(text(route)))
  readonly routes?: readonly string[];

  @Optional()
  @Value(list(text(route)))
  readonly passThroughRoutes?: readonly string[];

  @Optional()
  @Value(list(text(origin)))
  readonly corsOrigins?: readonly string[];

  @Optional()
  @Value(list(text(method)))
  readonly corsMethods?: readonly string[];

  @Optional()
  @Value(fields(headerFields))
  readonly headers?: readonly HeaderField[];

  @Optional()
  @Value(fields(requestHeaderFields))
  readonly requestHeaders?: readonly HeaderField[];

  @Optional()
  @Value(fields(responseHeaderFields))
  readonly responseHeaders?: readonly HeaderField[];

  @Optional()
  @Value(fieldName)
  readonly forwardClient?: string;
}
