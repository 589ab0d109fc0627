/** Variables of others whose names begin like ours, or differ from one of ours by a character or two. */
const NAMES: ReadonlySet<string> = new Set([
  // The X session manager.
  'SESSION_MANAGER',
  // The image of Redis.
  'REDIS_VERSION',
  'REDIS_DOWNLOAD_URL',
  'REDIS_DOWNLOAD_SHA',
  // The tests of this repository.
  'REDIS_SERVER',
  // OpenSSL, and servers that read it likewise.
  'SSL_CERT_FILE',
  'SSL_KEY_FILE',
  // The spelling of NO_PROXY that some programs read instead.
  'no_proxy',
  // CGI and many gateways.
  'CLIENT_IP',
]);

/**
 * What Kubernetes sets in a pod for each service of its namespace, and Docker for each linked container: a service named
 * `redis` is REDIS_SERVICE_HOST, REDIS_PORT_6379_TCP_ADDR and so on.
 */
const SERVICE =
  /_SERVICE_HOST$|_SERVICE_PORT(?:_[A-Z0-9_]+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z_]+)?$/;
/** The variables of OpenTelemetry for logs and metrics, which resemble those for traces. */
const OTHER_SIGNALS = /^OTEL_(?:BLRP|METRIC|METRICS|LOGS|LOGRECORD)_/;
const PORT = /^(.+)_PORT$/;
/** A linked container's name, and its own variables. */
const LINKED = /^(.+?)_(?:NAME|ENV_.+)$/;
const ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/** Whether a variable belongs to another program, although its name resembles ours. */
export function isForeign(name: string, environment: NodeJS.ProcessEnv): boolean {
  const isAddress = (variable: string): boolean => ADDRESS.test(environment[variable] ?? '');
  const [, link] = LINKED.exec(name) ?? [];
  return (
    NAMES.has(name) ||
    SERVICE.test(name) ||
    OTHER_SIGNALS.test(name) ||
    (PORT.test(name) && isAddress(name)) ||
    (link !== undefined && isAddress(`${link}_PORT`))
  );
}
