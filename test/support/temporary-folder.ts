import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  close(): Promise<void>;
}

/** A folder of its own, which is removed with all that is in it. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'relay-test-'));
  return {
    path,
    close: () => rm(path, { recursive: true, force: true }),
  };
}
