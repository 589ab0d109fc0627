import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Replaces the system's name resolution in this process, for names that a test makes up. */
export interface NameService {
  /** Every made-up name that was looked up, in order. */
  readonly asked: string[];
  /** @param answers - one list of addresses for each lookup; the last list serves all later lookups */
  say(name: string, ...answers: readonly (readonly string[])[]): void;
  close(): Promise<void>;
}

/** Replaces `dns.lookup`, which asks the system. Other names are still passed to it. */
export function startNameService(): NameService {
  const asked: string[] = [];
  const names = new Map<string, (readonly string[])[]>();
  const systemLookup = dns.lookup;
  const lookup = (name: string, options: LookupOptions, callback: Callback): void => {
    const answers = names.get(name);
    if (answers === undefined) {
      systemLookup(name, options, callback);
      return;
    }
    asked.push(name);
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    const found = addresses.map((address) => ({ address, family: isIP(address) }));
    process.nextTick(() => {
      if (options.all === true) {
        callback(null, found);
      } else {
        callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
      }
    });
  };
  replaceLookup(lookup as typeof dns.lookup);
  return {
    asked,
    say: (name, ...answers) => {
      names.set(name, [...answers]);
    },
    close: () => {
      replaceLookup(systemLookup);
      return Promise.resolve();
    },
  };
}

/** Replaces it for modules that have imported it by name as well. */
function replaceLookup(lookup: typeof dns.lookup): void {
  dns.lookup = lookup;
  syncBuiltinESMExports();
}
