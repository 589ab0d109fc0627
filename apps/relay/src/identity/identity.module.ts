import { randomBytes } from 'node:crypto';

import { Global, Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { KeyRing, SALT_BYTES } from '@relay/protocol';
import { SenderSigner } from '@relay/signature';

/** The identity of this relay: the keys derived from its secrets, and its name as a sender, random unless configured. */
@Global()
@Module({
  providers: [
    {
      provide: KeyRing,
      inject: [RelayConfig],
      useFactory: (config: RelayConfig) =>
        KeyRing.derive(config.clientIdSecret, config.clientIdSecretAlt),
    },
    {
      provide: SenderSigner,
      inject: [KeyRing, RelayConfig],
      useFactory: (keyRing: KeyRing, config: RelayConfig) =>
        new SenderSigner(
          keyRing.current,
          config.clientId ?? randomBytes(SALT_BYTES).toString('base64url'),
        ),
    },
  ],
  exports: [KeyRing, SenderSigner],
})
export class IdentityModule {}
