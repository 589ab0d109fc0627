import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Where the relay of this configuration listens. */
export interface Listener {
  readonly host: string;
  readonly port: number;
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a connection that has come to this address and port has come to the relay itself. */
export function isOwn(address: string, port: number, { host, port: ownPort }: Listener): boolean {
  // A connection that has been lost since has no address.
  if (port !== ownPort || isIP(address) === 0) {
    return false;
  }
  return isIP(host) === 0 || EVERYWHERE.has(host) ? isOfThisMachine(address) : address === host;
}

function isOfThisMachine(address: string): boolean {
  if (loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
    return true;
  }
  const interfaces = Object.values(networkInterfaces());
  return interfaces.flat().some((own) => own?.address === address);
}
