import { Injectable } from '@nestjs/common';

import { UpgradedConnections } from '../admission/upgraded-connections.js';
import { DirectoryService } from '../directory/directory.service.js';
import { TokenMissingError } from './pass-through.errors.js';

/**
 * Ends upgraded connections of anybody to tenants that were removed. Requests end by themselves; these connections would go on for
 * as long as their ends like.
 */
@Injectable()
export class RemovedTenants {
  constructor(
    private readonly directory: DirectoryService,
    private readonly connections: UpgradedConnections,
  ) {
    directory.onChange(() => {
      this.check();
    });
  }

  /** To be called also for a connection that was added: the directory may have changed since its tenant was chosen. */
  check(): void {
    const { entries } = this.directory.current.tenants;
    this.connections.resetThose('pass-through', ({ tenant }) =>
      entries.some(({ name }) => name === tenant)
        ? undefined
        : new TokenMissingError('the tenant of the connection was removed'),
    );
  }
}
