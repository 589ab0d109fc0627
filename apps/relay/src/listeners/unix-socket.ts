import { once } from 'node:events';
import { lstatSync, unlinkSync, type Stats } from 'node:fs';
import { chmod, lchown, lstat } from 'node:fs/promises';
import { connect } from 'node:net';

import type { ListenAt } from '@relay/config';

const PERMISSION_BITS = 0o777;

/** Removes a socket that a process has left behind which ended without closing it. Anything else at its path stays. */
export async function removeStaleSocket(at: ListenAt | undefined): Promise<void> {
  if (at?.kind !== 'unix') {
    return;
  }
  const found = socketAt(at.path);
  if (found === undefined || (await isListenedAt(at.path))) {
    return;
  }
  // Another worker of this relay may have replaced it meanwhile, also under the number that it had.
  const now = socketAt(at.path);
  if (now?.ino === found.ino && now.ctimeMs === found.ctimeMs) {
    unlinkSync(at.path);
  }
}

/** Whether there is something at a path that is no socket, and is therefore never removed. */
export function isOtherThanSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false;
}

/**
 * Gives a socket its owner and its mode, and never lets anybody in meanwhile whom neither its permissions until now nor the new
 * ones admit. Until it has them, only this user may connect: see the umask in main.ts.
 *
 * @param isNew - without an owner of its own, its group then stays as its folder gives it
 */
export async function givePermissions(at: ListenAt, isNew: boolean): Promise<void> {
  if (at.kind !== 'unix') {
    return;
  }
  const found = await lstat(at.path);
  if (!found.isSocket()) {
    // Such as a symbolic link, which would give the permissions to what it leads to.
    throw new Error('what is there now is no socket');
  }
  const { uid, gid, mode } = found;
  const owner = at.owner ?? (isNew ? { uid, gid } : ownIds());
  if (owner.uid !== uid || owner.gid !== gid) {
    await chmod(at.path, at.mode & mode & PERMISSION_BITS);
    await lchown(at.path, owner.uid, owner.gid);
  }
  await chmod(at.path, at.mode);
}

/** Both are there wherever there are sockets. */
function ownIds(): { readonly uid: number; readonly gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
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
