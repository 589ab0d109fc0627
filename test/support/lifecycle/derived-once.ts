import crypto, { type ScryptOptions } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

type Done = (error: Error | null, key?: Buffer) => void;

const { scrypt } = crypto;
const derived = new Map<string, Promise<Buffer>>();

/**
 * Derives a key once for each input. A third of the time of suites with relays in this process would otherwise go into
 * deriving the same keys: each relay takes 130 ms for each of its secrets. What happens during a derivation is tested with relays
 * in processes of their own.
 */
function scryptOnce(
  secret: string,
  salt: string,
  length: number,
  options: ScryptOptions,
  done: Done,
): void {
  const input = JSON.stringify([secret, salt, length, options]);
  const key =
    derived.get(input) ??
    new Promise<Buffer>((resolve, reject) => {
      scrypt(secret, salt, length, options, (error, bytes) => {
        if (error === null) {
          resolve(bytes);
        } else {
          reject(error);
        }
      });
    });
  derived.set(input, key);
  key.then((bytes) => {
    done(null, Buffer.from(bytes));
  }, done);
}

// This file is loaded again for each test file of a worker.
if (scrypt.name !== scryptOnce.name) {
  crypto.scrypt = scryptOnce as typeof scrypt;
  syncBuiltinESMExports();
}
