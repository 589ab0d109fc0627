/** What each finding asks the operator to do. docs/check.md has the same table; a test holds the two together. */
export const REMEDIES = {
  CHECK_CONFIGURATION_INVALID:
    'Correct the configuration: the relay itself would not start with it.',
  CHECK_PEER_UNKNOWN:
    'Name a peer of RELAY_CONFIG_FILE or the origin of one, or list the origin in OUTBOUND_ALLOWED_UPSTREAMS.',
  CHECK_CLIENT_UNKNOWN:
    'Give --client the name of a client of RELAY_CONFIG_FILE, or of DOMAIN_MAP: its host, with - for each dot.',
  CHECK_NAME_UNKNOWN: 'Correct the host name, or the DNS that this machine or container asks.',
  CHECK_RESOLVER_FAILED:
    'Check the resolver of this machine or container: /etc/resolv.conf, and whether port 53 is open to it.',
  CHECK_ADDRESS_REFUSED:
    'Correct the DNS entry. If it is right, list the origin in OUTBOUND_ALLOWED_UPSTREAMS or RELAY_CONFIG_FILE.',
  CHECK_CONNECTION_REFUSED:
    'Check the port, and whether relay B, or what stands in front of it, is running and listens there.',
  CHECK_CONNECTION_TIMEOUT:
    'Check firewalls, security groups and network policies on the way, in both directions, and the port.',
  CHECK_CONNECTION_FAILED: 'Check routes and firewalls on the way, and the address.',
  CHECK_PROXY_UNREACHABLE:
    'Check PEER_PROXY_URL, or `proxy` of the peer, and whether it is an HTTP proxy that knows CONNECT.',
  CHECK_PROXY_TIMEOUT:
    'Check whether the proxy reaches relay B: firewalls behind the proxy, and the DNS that it asks.',
  CHECK_PROXY_AUTH_FAILED:
    'Correct the user and password in PEER_PROXY_URL, or in `proxy` of the peer.',
  CHECK_PROXY_REFUSED:
    'Have the proxy allow CONNECT to this host and port, or name the host in NO_PROXY if it needs no proxy.',
  CHECK_TLS_ABSENT: 'Use http:// if nothing ends TLS there, or correct the port.',
  CHECK_TLS_TIMEOUT: 'Check the port: what listens there accepts connections and begins no TLS.',
  CHECK_TLS_FAILED: 'Look into the log of what ends TLS there: it has the reason.',
  CHECK_CERTIFICATE_EXPIRED:
    'Renew the certificate where TLS ends in front of relay B, and have it loaded there.',
  CHECK_CERTIFICATE_NOT_YET_VALID:
    'Check the clock of this machine. If it is right, have the certificate issued again.',
  CHECK_CERTIFICATE_NAME:
    'Call relay B by a name of its certificate, or have one issued for this name.',
  CHECK_CERTIFICATE_SELF_SIGNED:
    'Use a certificate of an authority, or let relay A trust this one: NODE_EXTRA_CA_CERTS=/path/of/it.pem.',
  CHECK_CERTIFICATE_UNTRUSTED:
    'Have the whole chain sent there, with intermediate certificates; name a private authority in NODE_EXTRA_CA_CERTS.',
  CHECK_RELAY_TIMEOUT:
    'Check relay B: it is there but does not respond. Is it overloaded or stopped, or is this another program?',
  CHECK_NO_HTTP: 'Correct the port, or use https://: what listens there speaks no plain HTTP.',
  CHECK_TLS_EXPECTED: 'Use https://: what listens there expects TLS.',
  CHECK_REDIRECTED: 'Use the origin that the redirection names: a relay follows none.',
  CHECK_GATEWAY_FAILED:
    'Check whether relay B runs, and whether the gateway in front of it has the right address and port for it.',
  CHECK_NO_RELAY:
    'Correct host and port. If relay B is behind a gateway, it must pass /api/mte-* on, with all methods and without credentials.',
  CHECK_VERSION_DIFFERS: 'Update the older relay.',
  CHECK_SECRET_DIFFERS:
    'Give both relays the same secret for each other, and compare keyId in the line `relay is listening` of relay B.',
  CHECK_SENDER_SELF:
    'Correct the URL if it leads to this relay itself, and PORT if it does not. Else set CLIENT_ID nowhere, or differently.',
  CHECK_AUDIENCE_REFUSED:
    'Add this origin to RELAY_AUDIENCE of relay B, or to a tenant there that admits this relay; or call it by another.',
  CHECK_SECRET_OR_AUDIENCE:
    'Compare the key ids; then RELAY_AUDIENCE, or the tenants, of relay B with this origin. The log of relay B says which it is.',
  CHECK_CLOCK_SKEW: 'Synchronise both clocks, with NTP.',
  CHECK_STORE_AWAY: 'Check Redis at relay B: its log and its /health/ready have the reason.',
  CHECK_PAIRING_LIMITED:
    'Wait a minute. If it comes back, something restarts often, or MAX_PAIRINGS_PER_MINUTE of relay B is too low.',
  CHECK_PAIRING_BLOCKED:
    'Have the gateway pass POST /api/mte-pair on to relay B with its body and its x-mte-* fields.',
  CHECK_PAIRING_CHANGED:
    'Have nothing between the relays change bodies, as by compression or by filters.',
  CHECK_PAIRING_TIMEOUT: 'Look into the log of relay B, and of what stands in front of it.',
  CHECK_PAIRING_FAILED: 'Look into the log of relay B, and of what stands in front of it.',
  CHECK_SESSION_LOST:
    'Give all replicas of relay B the same REDIS_URL and REDIS_PREFIX: with memory:// there may be only one.',
  CHECK_MESSAGE_BLOCKED:
    'Have the gateway pass POST /api/mte-tunnel on to relay B, with its body and its x-mte-* fields, unchanged.',
  CHECK_MESSAGE_TIMEOUT: 'Look into the log of relay B, and of what stands in front of it.',
  CHECK_MESSAGE_FAILED: 'Look into the log of relay B, and of what stands in front of it.',
  CHECK_UPGRADE_BLOCKED:
    'Have what stands between the relays pass WebSocket upgrades of GET /api/mte-channel on. Until then, requests go as messages, and clients have no WebSockets.',
  CHECK_UPGRADE_STRIPPED:
    'Have what stands between the relays pass `Connection: upgrade` and `Upgrade` on, to the relay that messages reach. Until then, requests go as messages, and clients have no WebSockets.',
  CHECK_CHANNEL_TIMEOUT:
    'Have what stands between the relays pass WebSockets on without buffering. Until then, requests go as messages, and clients have no WebSockets.',
  CHECK_CHANNEL_REFUSED:
    'Relay B takes no channel now: TUNNEL_TRANSPORT=message, a shutdown, MAX_CHANNELS_PER_PEER or MAX_UPGRADED_CONNECTIONS.',
  CHECK_CHANNEL_FAILED: 'Look into the log of relay B, and of what stands in front of it.',
  CHECK_REQUEST_FAILED:
    'Look the code up in docs/operations.md, and the request up in the log of relay B.',
} as const;

/** What a failed step is reported by. The codes are stable. */
export type FindingCode = keyof typeof REMEDIES;
