import { createServer } from 'node:http';

import { describe, expect, it } from 'vitest';

import { listen } from '../../../../test/support/listen.js';
import { openSocket } from '../../../../test/support/raw-socket.js';
import { Recorder } from '../../../../test/support/recorder.js';
import { forThisTest } from '../../../../test/support/resources.js';
import { EarlyAnswers, type EarlyAnswer } from './early-answers.js';

describe('a client that still writes what cannot be parsed', () => {
  it('keeps its connection to read why, and is told once', async () => {
    const early = new EarlyAnswers();
    const answers = new Recorder<EarlyAnswer>();
    const connections = new Recorder<'open' | 'closed'>();
    early.reports = {
      refusedEarly: (answer) => {
        answers.add(answer);
      },
      connectionLost: () => undefined,
    };
    const server = createServer();
    server.on('clientError', early.unparsable);
    server.on('clientError', (_error, socket) => {
      connections.add(socket.destroyed ? 'closed' : 'open');
    });
    const client = openSocket(forThisTest(await listen(server)).port);

    client.write('nonsense\r\n\r\n');
    await client.until('RELAY_REQUEST_INVALID');
    client.write('more of it\r\n\r\n');

    expect((await connections.count(2)).slice(0, 2)).toEqual(['open', 'open']);
    expect(answers.items).toHaveLength(1);
  });
});
