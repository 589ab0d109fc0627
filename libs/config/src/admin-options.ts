import { IsOptional, Matches } from 'class-validator';

import { hostWithoutPort } from './rules/host-without-port.js';
import { FromText, Integer, listOf } from './rules/rule.js';
import { NotWeakInProduction, token } from './rules/secrets.js';
import { TraceOptions } from './trace-options.js';

/** The admin listener: the page, metrics and health. */
export abstract class AdminOptions extends TraceOptions {
  /** `ADMIN_PORT`: port of the listener; with 0, the system chooses one; if undefined, there is none. */
  @IsOptional()
  @Integer(0, 65_535)
  readonly adminPort?: number;

  /** `ADMIN_HOST`: the address that it listens on. */
  @Matches(/^[A-Za-z0-9.:_%-]{1,255}$/, { message: 'must be an IP address or a host name' })
  readonly adminHost: string = '127.0.0.1';

  /** `ADMIN_TOKEN`: the password of everything there but `/health/*`; visible ASCII, at least 8 characters; if undefined, none. */
  @IsOptional()
  @FromText(token)
  @NotWeakInProduction()
  readonly adminToken?: string;

  /** `ADMIN_ALLOWED_HOSTS`: by which hosts it may be called, besides localhost and the address that a request arrives at. */
  @FromText(listOf(hostWithoutPort))
  readonly adminAllowedHosts: readonly string[] = [];
}
