import { once } from 'node:events';
import { lstatSync, unlinkSync, type Stats } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { connect } from 'node:net';

import type { ListenAt } from '@relay/config';

/** Removes a socket that a process has left behind which ended without closing it. Anything else at its path stays. */
export async function removeStaleSocket(at: ListenAt | undefined): Promise<void> {
  if (at?.kind !== 'unix') {
    return;
  }
  const found = socketAt(at.path);
  if (found === undefined || (await isListenedAt(at.path))) {
    return;
  }
  // Another worker of this relay may have replaced it meanwhile.
  if (socketAt(at.path)?.ino === found.ino) {
    unlinkSync(at.path);
  }
}

/** Gives a socket its owner and its mode. Until then, only this user may connect: see the umask in main.ts. */
export async function givePermissions(at: ListenAt): Promise<void> {
  if (at.kind !== 'unix') {
    return;
  }
  if (at.owner !== undefined) {
    await chown(at.path, at.owner.uid, at.owner.gid);
  }
  await chmod(at.path, at.mode);
}

function socketAt(path: string): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true ? found : undefined;
}

async function isListenedAt(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
