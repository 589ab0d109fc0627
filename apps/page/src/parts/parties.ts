import { html, nothing, type TemplateResult } from 'lit';
import type { ClientStatus, PeerStatus, StatusReport, TenantStatus } from '@relay/status';

import { calledBy, name } from '../text/names.js';
import { count, expiry, NOTHING } from '../text/quantities.js';
import { end } from '../text/times.js';
import { badge, state } from './states.js';
import { table, type Column } from './table.js';
import { trafficColumns } from './traffic-columns.js';

const DIRECTIONS = { outbound: '→ called by this relay', inbound: '← calls this relay' } as const;

/** Other relays. */
export function peers({ peers: rows, atMs }: StatusReport): TemplateResult {
  const columns: readonly Column<PeerStatus>[] = [
    { title: 'Peer', cell: peerName },
    { title: 'State', cell: peerState },
    { title: 'Channels', isNumber: true, cell: ({ channels }) => count(channels) },
    { title: 'Streams', isNumber: true, cell: ({ streams }) => count(streams) },
    { title: 'Sessions', isNumber: true, cell: sessionsOf },
    ...trafficColumns(atMs),
  ];
  return table({
    caption: 'Peers: their state and traffic',
    columns,
    rows,
    key: (peer) => `${peer.role} ${peer.name ?? ''} ${peer.origin ?? ''}`,
    ifEmpty: 'This relay knows no other relay yet.',
  });
}

function peerName(peer: PeerStatus): TemplateResult {
  const { name: own, origin, role } = peer;
  return html`${name(calledBy(peer))}
    ${own === undefined || origin === undefined ? nothing : html`<div class="aside">${name(origin)}</div>`}
    <div class="aside">${DIRECTIONS[role]}</div>`;
}

/** A peer that calls has its sessions, and this relay has none with it. */
const sessionsOf = ({ role, sessions }: PeerStatus): string =>
  role === 'outbound' ? count(sessions) : NOTHING;

function peerState({ state: of, transport }: PeerStatus): TemplateResult {
  return html`<div>
    ${state(of)}
    <div class="aside">transport: ${transport}</div>
  </div>`;
}

/** Applications that may use the outbound role. */
export function clients({ clients: rows, atMs }: StatusReport): TemplateResult {
  const columns: readonly Column<ClientStatus>[] = [
    { title: 'Client', cell: (client) => name(calledBy(client)) },
    { title: 'Next token ends', cell: ({ tokenEndsAtMs }) => endOf(tokenEndsAtMs, atMs) },
    ...trafficColumns(atMs),
  ];
  return table({
    caption: 'Clients: their traffic and tokens',
    columns,
    rows,
    key: (client) => client.name ?? '',
    ifEmpty: 'No client may use this relay.',
  });
}

/** APIs behind this relay. */
export function tenants({ tenants: rows }: StatusReport): TemplateResult {
  const columns: readonly Column<TenantStatus>[] = [
    { title: 'Tenant', cell: (tenant) => name(calledBy(tenant)) },
    { title: 'Upstream', cell: ({ upstream }) => name(upstream) },
    { title: 'State', cell: (tenant) => state(tenant.state) },
    { title: 'Connections', isNumber: true, cell: ({ connections }) => count(connections) },
  ];
  return table({
    caption: 'Tenants and their upstreams',
    columns,
    rows,
    key: (tenant) => `${tenant.name ?? ''} ${tenant.upstream}`,
    ifEmpty: 'There is no API behind this relay.',
  });
}

/** When a certificate or a token ends, with a warning if that is near. */
export function endOf(atMs: number | undefined, nowMs: number): unknown {
  if (atMs === undefined) {
    return '';
  }
  const text = end(atMs, nowMs);
  switch (expiry(atMs, nowMs)) {
    case 'past':
      return badge('bad', '✕', text);
    case 'near':
      return badge('warning', '!', text);
    case 'far':
      return text;
  }
}
