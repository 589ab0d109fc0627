import { IsBoolean } from 'class-validator';

import { listenAddress, type ListenAddress } from '../../rules/listen-address.js';
import { Refused } from '../../rules/rule.js';
import type { ListenAt } from '../directory.js';
import { Optional, text, Value } from './keys.js';
import { name, path } from './values.js';

type SocketOwner = NonNullable<Extract<ListenAt, { kind: 'unix' }>['owner']>;

const MODE = /^0?[0-7]{3}$/;
const OWNER = /^(0|[1-9]\d{0,9}):(0|[1-9]\d{0,9})$/;
/** The number after it is -1 for the system, which changes nothing. */
const MAX_ID = 4_294_967_294;

/** YAML reads `0660` as six hundred and sixty. */
const mode = (value: unknown): number | Refused =>
  typeof value === 'string' && MODE.test(value)
    ? Number.parseInt(value, 8)
    : new Refused(
        typeof value === 'number'
          ? 'must be in quotes, such as "0660": YAML makes another number of it'
          : 'must be octal permission bits in quotes, such as "0660"',
      );

const owner = (value: unknown): SocketOwner | Refused => {
  const [uid = MAX_ID + 1, gid = MAX_ID + 1] =
    typeof value === 'string' ? (OWNER.exec(value) ?? []).slice(1).map(Number) : [];
  return uid <= MAX_ID && gid <= MAX_ID
    ? { uid, gid }
    : new Refused('must be "uid:gid", two numbers in quotes, such as "1000:1000"');
};

/** A peer's `listen`. */
export class ListenInFile {
  /** `IP:port`, `[IPv6]:port` or `localhost:port`. */
  @Optional()
  @Value(text(listenAddress))
  readonly address?: ListenAddress;

  /** Path of a Unix domain socket, relative to the folder of the directory file. */
  @Optional()
  @Value(path)
  readonly socket?: string;

  /** Permission bits of the socket; without them, "0600". */
  @Optional()
  @Value(mode)
  readonly mode?: number;

  /** Whom the socket belongs to: "uid:gid"; without it, the user of the relay. */
  @Optional()
  @Value(owner)
  readonly owner?: SocketOwner;

  /** Name of the client in whose name requests are made. */
  @Value(name)
  readonly client!: string;

  /** True: other machines may reach the address, and with it the peer. */
  @Optional()
  @IsBoolean({ message: 'must be true or false' })
  readonly exposed?: boolean;
}
