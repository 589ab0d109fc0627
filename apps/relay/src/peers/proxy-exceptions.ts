import { BlockList, isIP } from 'node:net';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };
/** An entry may end in a port; an IPv6 address that does so is in brackets. */
const ENTRY = /^(?:\[(?<ipv6>[^\]]+)\]|(?<host>[^:[\]/]+))(?::(?<port>\d{1,5}))?$/;
const NETWORK = /^(?<address>[^/]+)\/(?<bits>\d{1,3})$/;
const EVERYTHING = '*';

/** Whether an entry matches the host of an origin, which is in the normal form of a URL, without brackets. */
type HostRule = (host: string) => boolean;

interface Exception {
  readonly matches: HostRule;
  /** undefined: any. */
  readonly port: string | undefined;
}

/**
 * The hosts of NO_PROXY, read as Go and curl read it: names with everything beneath them, addresses, networks, each with or without
 * a port, and `*`. Nothing is resolved, so that an address matches no name. An entry that is none of these matches nothing.
 */
export class ProxyExceptions {
  private readonly exceptions: readonly Exception[];
  private readonly areAll: boolean;

  constructor(entries: readonly string[]) {
    this.areAll = entries.includes(EVERYTHING);
    this.exceptions = entries.map(exceptionOf).filter((exception) => exception !== undefined);
  }

  /** Whether connections to this origin do not go through a proxy. */
  has(origin: string): boolean {
    if (this.areAll || this.exceptions.length === 0) {
      return this.areAll;
    }
    const { protocol, hostname, port } = new URL(origin);
    const host = withoutRoot(hostname.replace(/^\[|\]$/g, ''));
    const actualPort = port === '' ? DEFAULT_PORTS[protocol] : port;
    return this.exceptions.some(
      (exception) =>
        (exception.port === undefined || exception.port === actualPort) && exception.matches(host),
    );
  }
}

function exceptionOf(text: string): Exception | undefined {
  const network = networkRule(text);
  if (network !== undefined) {
    return { matches: network, port: undefined };
  }
  if (isIP(text) !== 0) {
    return { matches: hostRule(text), port: undefined };
  }
  const { ipv6, host = ipv6, port } = ENTRY.exec(text)?.groups ?? {};
  return host === undefined ? undefined : { matches: hostRule(host), port };
}

function networkRule(text: string): HostRule | undefined {
  const { address = '', bits = '' } = NETWORK.exec(text)?.groups ?? {};
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) {
    return undefined;
  }
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return (host) => isIP(host) === family && network.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function hostRule(text: string): HostRule {
  const family = isIP(text);
  if (family !== 0) {
    const address = new BlockList();
    address.addAddress(text, family === 6 ? 'ipv6' : 'ipv4');
    return (host) => isIP(host) === family && address.check(host, family === 6 ? 'ipv6' : 'ipv4');
  }
  const name = withoutRoot(text.toLowerCase());
  if (name.startsWith('.') || name.startsWith('*.')) {
    const suffix = name.slice(name.indexOf('.'));
    return (host) => host.endsWith(suffix);
  }
  return (host) => host === name || host.endsWith(`.${name}`);
}

/** A name may end in the dot of the root, which changes nothing. */
function withoutRoot(name: string): string {
  return name.replace(/\.$/, '');
}
