import { afterAll, onTestFinished } from 'vitest';

export interface Closable {
  close(): Promise<void>;
}

/**
 * To be called at the top of a file or suite. What is given to the returned function is closed after the last test
 * there, the youngest first.
 */
export function sharedResources(): <T extends Closable>(resource: T) => T {
  const open: Closable[] = [];
  afterAll(async () => {
    for (const resource of open.reverse()) {
      await resource.close();
    }
  });
  return (resource) => {
    open.push(resource);
    return resource;
  };
}

/** Closes the resource when the running test has ended, whatever its outcome. */
export function forThisTest<T extends Closable>(resource: T): T {
  onTestFinished(() => resource.close());
  return resource;
}
