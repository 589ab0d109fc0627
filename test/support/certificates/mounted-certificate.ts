import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { KeyPair } from './certificates.js';

/** A certificate and its key in a folder that is replaced through a symbolic link, as Kubernetes mounts secrets. */
export interface MountedCertificate {
  readonly cert: string;
  readonly key: string;
  /** Replaces the current pair by another one, valid or not. */
  swap(pair: KeyPair): void;
  close(): Promise<void>;
}

export function mountCertificate(pair: KeyPair): MountedCertificate {
  const dir = mkdtempSync(join(tmpdir(), 'relay-mount-'));
  let version = 0;
  const swap = ({ cert, key }: KeyPair): void => {
    version += 1;
    const folder = join(dir, `..${version}`);
    mkdirSync(folder);
    copyFileSync(cert, join(folder, 'tls.crt'));
    copyFileSync(key, join(folder, 'tls.key'));
    symlinkSync(folder, join(dir, '..next'));
    renameSync(join(dir, '..next'), join(dir, '..data'));
  };
  swap(pair);
  return {
    cert: join(dir, '..data', 'tls.crt'),
    key: join(dir, '..data', 'tls.key'),
    swap,
    close: () => {
      rmSync(dir, { recursive: true });
      return Promise.resolve();
    },
  };
}
