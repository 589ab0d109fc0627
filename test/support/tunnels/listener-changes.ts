import type { LogLine } from '../relays/relay.js';
import type { Recorder } from '../lifecycle/recorder.js';
import type { PlainClientTunnel } from './plain-client-tunnel.js';

const REPLACED = 'the directory was replaced';
const REFUSED = 'the new directory cannot be used: the previous one stays in use';

interface Logged {
  readonly log: Recorder<LogLine>;
}

/** What a test changes in the file of relay A: keys of its only peer, and other peers and clients. */
export interface ListenerChange {
  readonly api?: Readonly<Record<string, unknown>>;
  readonly peers?: Readonly<Record<string, object>>;
  readonly clients?: Readonly<Record<string, object>>;
}

/** Changes the file of a running relay A. */
export interface ListenerChanges {
  /** Makes a change, and waits until it is in use. What an earlier change has added is gone, unless this one has it too. */
  readonly make: (change: ListenerChange) => Promise<void>;
  /** Makes a change that is refused. @returns the reason */
  readonly refused: (change: ListenerChange) => Promise<string>;
  /** Resolves once a change that was refused is in use after all. */
  readonly healed: (act: () => Promise<void> | void) => Promise<void>;
  /** The reasons for refusals until now. */
  readonly reasons: () => readonly string[];
}

/** @param relay - relay A of the tunnel, or the one that took its place */
export function listenerChanges(
  { file, content }: Pick<PlainClientTunnel, 'file' | 'content'>,
  { log }: Logged,
): ListenerChanges {
  const lines = (message: string): readonly LogLine[] =>
    log.items.filter(({ msg }) => msg === message);
  const after = async (message: string, act: () => Promise<void> | void): Promise<LogLine> => {
    const before = lines(message).length;
    await act();
    await log.find(({ msg }) => msg === message && lines(message).length > before);
    return lines(message)[before]!;
  };
  const write = ({ api, peers, clients }: ListenerChange) => {
    file.write({
      peers: { ...peers, api: { ...content.peers['api'], ...api } },
      clients: { ...content.clients, ...clients },
    });
  };
  return {
    make: async (change) => {
      await after(REPLACED, () => {
        write(change);
      });
    },
    refused: async (change) => {
      const line = await after(REFUSED, () => {
        write(change);
      });
      return String(line['reason']);
    },
    healed: async (act) => {
      await after(REPLACED, act);
    },
    reasons: () => lines(REFUSED).map(({ reason }) => String(reason)),
  };
}
