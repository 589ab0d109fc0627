import { Injectable } from '@nestjs/common';
import type { Status } from '@relay/status';

/** What this relay does and knows now, all of its workers together. */
@Injectable()
export class StatusService {
  /** @throws Error if the workers cannot be asked */
  current(): Promise<Status> {
    return Promise.reject(new Error('to be written'));
  }
}
