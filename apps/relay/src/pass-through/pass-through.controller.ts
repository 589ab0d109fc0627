import { All, Controller } from '@nestjs/common';

import { PASS_THROUGH_DOOR } from '../door.js';
import { TokenMissingError } from './pass-through.errors.js';

/** What no other door took. */
@Controller()
export class PassThroughController {
  @All(PASS_THROUGH_DOOR)
  refuse(): never {
    throw new TokenMissingError(
      'x-mte-outbound-token is missing (clients of this relay send it with x-mte-upstream), ' +
        'x-mte-relay is missing (other relays send it), and PASS_THROUGH_ROUTES does not list this path',
    );
  }
}
