import type { RelayConfig } from '@relay/config';
import { type RawFields, withReplacedFields } from '@relay/fields';

const CORS_PREFIX = 'access-control-';

/**
 * The fields of a response as a client of this relay receives them. Fields that HEADERS sets replace those of the same name. If
 * this relay handles CORS itself, the CORS fields of the upstream are removed.
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
