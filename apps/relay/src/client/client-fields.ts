import type { RelayConfig } from '@relay/config';
import { type RawFields, withReplacedFields } from '@relay/fields';

const CORS_PREFIX = 'access-control-';

/**
 * The fields of an answer as a client of this relay gets them: HEADERS take the place of what they name, and where this
 * relay answers CORS itself, the upstream's word on it is dropped.
 */
export function clientFields(
  fields: RawFields,
  { headers, corsOrigins }: Pick<RelayConfig, 'headers' | 'corsOrigins'>,
): string[] {
  const kept =
    corsOrigins === undefined
      ? [...fields]
      : fields.filter((_, at) => fields[at - (at % 2)]?.startsWith(CORS_PREFIX) !== true);
  return withReplacedFields(kept, headers);
}
