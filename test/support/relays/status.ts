import type { Status } from '@relay/status';

import { PageFolder } from '../../../apps/relay/src/admin/page-files.js';
import { StatusService } from '../../../apps/relay/src/status/status.service.js';
import { sampleStatus } from '../page/sample-status.js';
import { adminOf } from './admin.js';
import { startRelay, type RelayEnvironment, type TestRelay } from './relay.js';

/** The status of the relay whose page the tests look at, at a fixed time. */
export const STATUS: Status = sampleStatus({}, 1_767_225_600_000);

/** Stands for what a relay knows of itself. */
export class ScriptedStatus implements Pick<StatusService, 'current'> {
  calls = 0;
  /** What comes next: by default, a relay as above. */
  next: () => Promise<Status> = () => Promise.resolve(STATUS);

  current(): Promise<Status> {
    this.calls += 1;
    return this.next();
  }
}

/** A relay whose admin listener shows a scripted status. */
export interface AdminRelay extends TestRelay {
  readonly status: ScriptedStatus;
  /** The address of the admin listener, and its port. */
  readonly admin: string;
  readonly adminPort: number;
}

/** @param page - the folder of the built page; without one, the page has not been built */
export async function startAdminRelay(
  environment: RelayEnvironment = {},
  page = '/nonexistent',
): Promise<AdminRelay> {
  const status = new ScriptedStatus();
  const relay = await startRelay({ ADMIN_PORT: '0', ...environment }, (builder) =>
    builder
      .overrideProvider(StatusService)
      .useValue(status)
      .overrideProvider(PageFolder)
      .useValue({ path: page }),
  );
  const admin = await adminOf(relay);
  return { ...relay, status, admin, adminPort: Number(new URL(admin).port) };
}
