import type {
  ClientStatus,
  PeerStatus,
  RefusalStatus,
  RelayFacts,
  Status,
  StatusReport,
  StoreStatus,
  TenantStatus,
  TrafficStatus,
} from '@relay/status';

import { html, type Html } from './html.js';

type Cell = string | number | undefined | Html;

/** What stands for the party of the environment variables, which has no name. */
const UNNAMED = '(environment)';
const NONE = '–';
const MS_PER_SECOND = 1_000;
const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

const TRAFFIC_HEADINGS = ['Requests', 'Errors', 'Requests/s', 'p50 ms', 'p99 ms'];

/** The status of a relay as one plain HTML document, which needs no JavaScript and loads itself again. */
export function summaryOf({ report }: Status): string {
  const { relay, peers, clients, tenants, store, refusals } = report;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="10" />
        <title>MTE API Relay</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/summary.css" />
      </head>
      <body>
        <h1>MTE API Relay</h1>
        <p>
          As of ${time(report.atMs)}; loads itself again every 10 seconds.
          <a href="/">The live page</a> needs JavaScript.
        </p>
        ${facts('This relay', relayFacts(relay, report))}
        ${table('All traffic', TRAFFIC_HEADINGS, [trafficCells(report.traffic)])}
        ${table('Peers', ['Peer', 'State', 'Last refusal', 'Role', 'Transport', 'Channels', 'Streams', 'Sessions', ...TRAFFIC_HEADINGS], peers.map(peerRow))}
        ${table('Clients', ['Client', 'Last refusal', ...TRAFFIC_HEADINGS, 'Token expires'], clients.map(clientRow))}
        ${table('Tenants', ['Tenant', 'API', 'State', 'Connections'], tenants.map(tenantRow))}
        ${facts('Session store', storeFacts(store))}
        ${table('Last refusals', ['Time', 'Code', 'Status', 'Role', 'Client', 'Peer', 'Request id'], refusals.map(refusalRow))}
        ${facts('Configuration', Object.entries(relay.config).map(configFact))}
      </body>
    </html> `.text;
}

function relayFacts(relay: RelayFacts, { atMs }: StatusReport): [string, Cell][] {
  return [
    ['Version', `${relay.version}, Node.js ${relay.nodeVersion}`],
    ['Roles', relay.roles.join(', ')],
    ['Up for', duration((atMs - relay.startedAtMs) / MS_PER_SECOND)],
    ['Workers', relay.workers],
    ['Directory file', relay.directory],
    ['Certificate ends', time(relay.certificateEndsAtMs)],
    ['Under way', relay.underWay],
  ];
}

function peerRow(peer: PeerStatus): Cell[] {
  return [
    party(peer.name ?? peer.origin),
    peer.state,
    lastRefusal(peer.lastRefusal),
    peer.role,
    peer.transport,
    peer.channels,
    peer.streams,
    peer.role === 'outbound' ? peer.sessions : NONE,
    ...trafficCells(peer.traffic),
  ];
}

function clientRow({ name, traffic, tokenEndsAtMs, lastRefusal: last }: ClientStatus): Cell[] {
  return [party(name), lastRefusal(last), ...trafficCells(traffic), time(tokenEndsAtMs)];
}

function tenantRow({ name, upstream, state, connections }: TenantStatus): Cell[] {
  return [party(name), foreign(upstream), state, connections];
}

function storeFacts({ kind, state, warnings }: StoreStatus): [string, Cell][] {
  return [
    ['Kind', kind],
    ['State', state],
    ...warnings.map((warning): [string, Cell] => ['Warning', foreign(warning)]),
  ];
}

function refusalRow({ atMs, code, status, role, client, peer, requestId }: RefusalStatus): Cell[] {
  return [
    time(atMs),
    foreign(code),
    status ?? NONE,
    role,
    foreign(client),
    foreign(peer),
    foreign(requestId),
  ];
}

function configFact([name, value]: [string, unknown]): [string, Cell] {
  return [name, foreign(typeof value === 'string' ? value : JSON.stringify(value))];
}

function trafficCells(traffic: TrafficStatus): Cell[] {
  const { requests, errors, requestsPerSecond, p50Ms, p99Ms } = traffic;
  return [requests, errors, rounded(requestsPerSecond), rounded(p50Ms), rounded(p99Ms)];
}

function lastRefusal(refusal: RefusalStatus | undefined): Html {
  return refusal === undefined
    ? html`${NONE}`
    : html`${foreign(refusal.code)} at ${time(refusal.atMs)}`;
}

function party(name: string | undefined): Html {
  return foreign(name ?? UNNAMED);
}

/** Text that comes from elsewhere, which cannot turn around what stands beside it. */
function foreign(text: string | undefined): Html {
  return text === undefined ? html`${NONE}` : html`<bdi>${text}</bdi>`;
}

function time(atMs: number | undefined): Html {
  if (atMs === undefined) {
    return html`${NONE}`;
  }
  const iso = new Date(atMs).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest %= length;
    return count > 0 ? [`${count} ${unit}`] : [];
  });
  return [...parts, `${rest} s`].join(' ');
}

function rounded(value: number | undefined): string {
  return value === undefined ? NONE : String(Number(value.toFixed(1)));
}

function facts(heading: string, entries: readonly (readonly [string, Cell])[]): Html {
  return html`<h2>${heading}</h2>
    <table class="facts">
      ${entries.map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr> `,
      )}
    </table>`;
}

function table(heading: string, headings: readonly string[], rows: readonly Cell[][]): Html {
  if (rows.length === 0) {
    return html`<h2>${heading}</h2>
      <p>None.</p>`;
  }
  return html`<h2>${heading}</h2>
    <div class="wide" tabindex="0" role="region" aria-label="${heading}">
      <table>
        <thead>
          <tr>
            ${headings.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (cells) =>
              html`<tr>
                ${cells.map((cell) => html`<td>${cell}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`;
}
