import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { CertificateWatch } from './certificate-watch.js';

/** HTTPS of the listener for clients and relays. */
@Module({ imports: [SessionModule], providers: [CertificateWatch] })
export class TlsModule {}
