import type { RelayConfig } from '@relay/config';
import { type RawFields, withReplacedFields } from '@relay/fields';

const CORS_PREFIX = 'access-control-';

/**
 * The fields of a response as a client of this relay receives them. If this relay handles CORS itself, the CORS fields of the
 * upstream are removed.
 *
 * @param configured - what this client may receive of the configured fields; they replace those of the same name
 */
export function clientFields(
  fields: RawFields,
  configured: RelayConfig['headers'],
  { corsOrigins }: { readonly corsOrigins?: readonly string[] | undefined },
): string[] {
  const kept =
    corsOrigins === undefined
      ? [...fields]
      : fields.filter((_, at) => fields[at - (at % 2)]?.startsWith(CORS_PREFIX) !== true);
  return withReplacedFields(kept, configured);
}
