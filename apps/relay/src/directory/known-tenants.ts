import { OF_ENVIRONMENT, type TenantEntry } from '@relay/config';
import { audienceHash } from '@relay/protocol';

/** The host field of a request to an origin, with its default port stated. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** The tenants, by what identifies them. */
export class KnownTenants {
  /** Accepts every audience. */
  private readonly ofEverything: TenantEntry | undefined;
  private readonly byAudience = new Map<string, TenantEntry>();
  private readonly byHost = new Map<string, TenantEntry>();
  /** Those of `byAudience`, and those of tenants that were removed. */
  private readonly audiences: ReadonlySet<string>;

  /** @param previous - the tenants until now */
  constructor(
    readonly entries: readonly TenantEntry[],
    previous?: KnownTenants,
  ) {
    this.ofEverything = entries.find(({ audiences }) => audiences === undefined);
    for (const entry of entries) {
      for (const audience of entry.audiences ?? []) {
        this.byAudience.set(nameOfAudience(audience), entry);
        for (const host of hostsOf(audience)) {
          this.byHost.set(host, entry);
        }
      }
    }
    this.audiences = new Set([...(previous?.audiences ?? []), ...this.byAudience.keys()]);
  }

  /** Whether an audience is that of a tenant, or was since this process started. */
  haveHad(audience: string): boolean {
    return this.audiences.has(audience);
  }

  /**
   * The tenant that is addressed by an audience.
   *
   * @param audience - its `audienceHash` in lower-case hexadecimal
   */
  find(audience: string): TenantEntry | undefined {
    return this.byAudience.get(audience) ?? this.ofEverything;
  }

  /**
   * The tenant that an unauthenticated request is for.
   *
   * @param authority - the host field
   */
  findByHost(authority: string): TenantEntry | undefined {
    const { entries } = this;
    const [only] = entries;
    // The API of the environment is the only one, whatever it is called.
    return entries.length === 1 && only?.name === OF_ENVIRONMENT
      ? only
      : (this.byHost.get(authority.toLowerCase()) ?? this.ofEverything);
  }
}

/** The name of an audience in a session. */
export function nameOfAudience(audience: string): string {
  return audienceHash(audience).toString('hex');
}

/** What a host field may say for an origin: the default port may be stated or left out. */
export function hostsOf(origin: string): string[] {
  const { host, port, protocol } = new URL(origin);
  return port === '' ? [host, `${host}:${DEFAULT_PORTS[protocol] ?? ''}`] : [host];
}
