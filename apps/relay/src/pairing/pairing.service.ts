import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { OF_ENVIRONMENT, RelayConfig } from '@relay/config';
import {
  MAX_CLOCK_SKEW_MS,
  decodePairRequest,
  pairTranscript,
  respondToPairing,
} from '@relay/protocol';
import { AudienceRefusedError, SessionService } from '@relay/session';
import type { VerifiedPairRequest } from '@relay/signature';

import { RateLimiter } from '../admission/rate-limiter.js';
import { DirectoryService } from '../directory/directory.service.js';
import { nameOfAudience } from '../directory/known-tenants.js';
import { ClockSkewError, PairLimitError } from './pairing.errors.js';

/** The inbound role's side of pairing. */
@Injectable()
export class PairingService {
  private readonly rateLimiter: RateLimiter;

  constructor(
    private readonly config: RelayConfig,
    private readonly sessions: SessionService,
    private readonly directory: DirectoryService,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.rateLimiter = new RateLimiter(config.maxPairingsPerMinute, clock);
  }

  /**
   * Performs the steps of protocol.md section 4 that follow the verification of the signature, the cheap ones first.
   *
   * @returns the body of the response
   * @throws PairMessageMalformedError, AudienceRefusedError, ClockSkewError, PairLimitError,
   *   PairReplayedError, PairStoreUnavailableError, PairKeyInvalidError, PairNotSavedError
   */
  async respond({ sender, body }: VerifiedPairRequest): Promise<Buffer> {
    const request = decodePairRequest(body);
    this.checkAudience(request.audience, sender.secretKeys.kid);
    if (Math.abs(request.unixMs - this.clock.nowMs()) > MAX_CLOCK_SKEW_MS) {
      throw new ClockSkewError(`the sender's clock is more than ${MAX_CLOCK_SKEW_MS} ms off`);
    }
    const transcript = pairTranscript(sender.clientIdHeader, body);
    const epoch = await this.reserve(transcript.sid, sender.identity);
    const { keys, responseBody } = await respondToPairing(
      request.publicKey,
      transcript,
      sender.secretKeys,
      sender.identity,
      {
        lifetimeSeconds: this.config.sessionLifetimeSeconds,
        maxMessages: this.config.sessionMaxMessages,
      },
    );
    const paired = { keys, audience: request.audience };
    await this.sessions.save(transcript.sid, sender, paired, epoch);
    return responseBody;
  }

  /**
   * Only a pairing request that can create a session counts against its sender's rate limit. Otherwise anyone could keep a peer
   * from pairing by replaying its requests.
   */
  private async reserve(sid: string, identity: string): Promise<string> {
    if (!this.rateLimiter.tryTake(identity)) {
      throw new PairLimitError('the sender has paired as often as MAX_PAIRINGS_PER_MINUTE allows');
    }
    try {
      return await this.sessions.reserve(sid);
    } catch (error) {
      this.rateLimiter.refund(identity);
      throw error;
    }
  }

  private checkAudience(audience: string, kid: string): void {
    const { current } = this.directory;
    const name = nameOfAudience(audience);
    if (current.tenantFor(name, kid) !== undefined) {
      return;
    }
    const [tenant] = current.tenants.entries;
    throw new AudienceRefusedError(
      tenant?.name === OF_ENVIRONMENT
        ? `RELAY_AUDIENCE does not list ${audience}`
        : current.tenants.find(name) === undefined
          ? `no tenant has the audience ${audience}`
          : `the peer ${current.nameOf(kid) ?? ''} may not enter the tenant ${audience}`,
    );
  }
}
