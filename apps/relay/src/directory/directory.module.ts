import { randomBytes } from 'node:crypto';

import { Global, Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { AcceptedKeys, SALT_BYTES } from '@relay/protocol';
import { Audiences } from '@relay/session';
import { RelayName } from '@relay/signature';

import { DirectoryService } from './directory.service.js';
import { DirectoryWatch } from './directory-watch.js';

/** Whom this relay knows, and by which name it is known: peers and their keys, clients, and tenants. */
@Global()
@Module({
  providers: [
    {
      provide: RelayName,
      inject: [RelayConfig],
      useFactory: ({ clientId }: RelayConfig) =>
        new RelayName(clientId ?? randomBytes(SALT_BYTES).toString('base64url')),
    },
    {
      provide: DirectoryService,
      inject: [RelayConfig, RelayName],
      useFactory: ({ directory }: RelayConfig, name: RelayName) =>
        DirectoryService.begin(directory, name),
    },
    { provide: AcceptedKeys, useExisting: DirectoryService },
    { provide: Audiences, useExisting: DirectoryService },
    DirectoryWatch,
  ],
  exports: [AcceptedKeys, Audiences, DirectoryService, DirectoryWatch, RelayName],
})
export class DirectoryModule {}
