import { RelayError } from '@relay/errors';

/** The client's token is wrong, empty, or sent more than once. */
export class TokenInvalidError extends RelayError {
  readonly code = 'RELAY_TOKEN_INVALID';
}

/** One of the `x-mte-encode-*` headers has an unknown value. */
export class OptionInvalidError extends RelayError {
  readonly code = 'RELAY_OPTION_INVALID';
}

/** A client of the forward proxy has no right credentials. RFC 9110 section 15.5.8. */
export class ProxyAuthRequiredError extends RelayError {
  readonly code = 'RELAY_PROXY_AUTH_REQUIRED';
  readonly challenge = 'Basic realm="MTE API Relay"';
}

/** The forward proxy was asked for a URL of a scheme that it does not carry. */
export class SchemeUnsupportedError extends RelayError {
  readonly code = 'RELAY_SCHEME_UNSUPPORTED';
}

/** No peer is called as the client of the forward proxy, or of a listener, calls it. */
export class HostUnknownError extends RelayError {
  readonly code = 'RELAY_HOST_UNKNOWN';
}

/** The request has come through this relay before. */
export class LoopError extends RelayError {
  readonly code = 'RELAY_LOOP';
}
