import { expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startInTerminal, type TerminalRelay } from '../support/processes/terminal.js';
import { twoWorkers } from '../support/processes/workers.js';

const workers = await twoWorkers();

const PRETTY = /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: /;
const STRONG = {
  CLIENT_ID_SECRET: 'kq7Zt1mXw9LrB4vNc8Yp2HsJd6Gf3TaE',
  OUTBOUND_TOKEN: 'Wm4Rk8Xc2Lq7Vn1Zb5Tj9Hd3Gf6Ps0Ya',
};

const listening = (relay: TerminalRelay): Promise<string> =>
  relay.lines.find((line) => line.includes('relay is listening'));

it('#115 is for people at a terminal, in colour, and nothing of the network acts on it', async () => {
  const relay = forThisTest(startInTerminal({ DEBUG: 'true' }));
  const line = await listening(relay);
  expect(line).toMatch(PRETTY);
  expect(relay.raw()).toContain('\u001b[32mINFO\u001b[39m');
  const [, port = ''] = /"address":"http:\/\/[^"]*:(\d+)"/.exec(line) ?? [];
  await request(`http://127.0.0.1:${port}`, {
    path: '/%1b%5b2J',
    headers: { 'x-mte-upstream': '\u009b2J', 'x-request-id': 'a\u009b2Jb' },
  });
  await relay.lines.find((text) => text.includes('RELAY_TOKEN_MISSING'));
  // Only colours, which the printer adds itself, and no other control.
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  expect(relay.raw().replace(/\u001b\[\d+m/g, '')).toMatch(/^[\r\n\x20-\x7e\u00a0-\uffff]*$/);
});

it('is for people at a terminal when workers write it, too', async () => {
  const relay = forThisTest(startInTerminal(workers));
  const ofWorkers = () => relay.lines.items.filter((line) => line.includes('relay is listening'));
  await relay.lines.find(() => ofWorkers().length === 2);
  for (const line of ofWorkers()) {
    expect(line).toMatch(/^\[[\d:.]+\] INFO \(\d+\): relay is listening \{/);
    expect(line).toContain('"logFormat":null');
  }
});

it.each([
  ['in production', { NODE_ENV: 'production', ...STRONG }],
  ['with LOG_FORMAT=json', { LOG_FORMAT: 'json' }],
])('is JSON at a terminal %s', async (_, environment) => {
  const relay = forThisTest(startInTerminal(environment));
  expect(JSON.parse(await listening(relay))).toMatchObject({ level: 30 });
});
