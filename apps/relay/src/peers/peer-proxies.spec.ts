import { expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { PeerProxies } from './peer-proxies.js';

const PEER = 'https://relay.example';
const OWN = 'http://user:secret@own.example:8080/';

it('without a proxy, peers are connected to directly', () => {
  expect(new PeerProxies(relayConfig()).routeTo(PEER)).toBeUndefined();
});

it('PEER_PROXY_URL leads to all peers but those of NO_PROXY', () => {
  const proxies = new PeerProxies(
    relayConfig({ PEER_PROXY_URL: 'http://general.example:3128', NO_PROXY: 'near.example' }),
  );
  expect(proxies.routeTo(PEER)?.name).toBe('general.example:3128');
  expect(proxies.routeTo(PEER)).toBe(proxies.routeTo('http://other.example'));
  expect(proxies.routeTo('https://near.example')).toBeUndefined();
});

it('the proxy of a peer takes precedence over both', () => {
  const proxies = new PeerProxies(
    relayConfig({ PEER_PROXY_URL: 'http://general.example:3128', NO_PROXY: '*' }),
  );
  expect(proxies.routeTo(PEER, OWN)?.name).toBe('own.example:8080');
  expect(proxies.routeTo(PEER)).toBeUndefined();
});

it.each([
  ['http://proxy.example', 'proxy.example:80'],
  ['https://user:secret@proxy.example', 'proxy.example:443'],
  ['http://[::1]:3128', '[::1]:3128'],
])('%s is named %s, without its credentials', (url, name) => {
  expect(new PeerProxies(relayConfig()).routeTo(PEER, url)?.name).toBe(name);
});

it('remembers a limited number of proxies', () => {
  const proxies = new PeerProxies(relayConfig());
  const first = proxies.routeTo(PEER, OWN);
  expect(proxies.routeTo(PEER, OWN)).toBe(first);
  for (let count = 0; count < 1_000; count += 1) {
    proxies.routeTo(PEER, `http://proxy-${count}.example/`);
  }
  expect(proxies.routeTo(PEER, OWN)).not.toBe(first);
});
