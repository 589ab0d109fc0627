import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A TCP proxy that keeps a copy of every byte it carries: what somebody on the path between two relays
 * sees.
 */
export class Tap {
  #server = createServer((socket) => this.#carry(socket));
  #port;
  #entries = [];
  #connections = 0;
  #isRecording = true;
  /** Bytes carried so far, both ways. */
  bytes = 0;

  /** Listens on a free loopback port. @returns its origin */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Names what stands behind it; before the first connection. */
  connectTo(origin) {
    this.#port = Number(new URL(origin).port);
  }

  /** A place in the recording. */
  get mark() {
    return this.#entries.length;
  }

  /**
   * What crossed since a mark, one piece a connection.
   *
   * @returns `{ sent, received }` in the order of the connections, from the outbound relay's point of view
   */
  conversations(mark = 0) {
    const byConnection = new Map();
    for (const { connection, isSent, chunk } of this.#entries.slice(mark)) {
      const pieces = byConnection.get(connection) ?? { sent: [], received: [] };
      pieces[isSent ? 'sent' : 'received'].push(chunk);
      byConnection.set(connection, pieces);
    }
    return [...byConnection.values()].map(({ sent, received }) => ({
      sent: Buffer.concat(sent),
      received: Buffer.concat(received),
    }));
  }

  /** Forgets everything, and only counts from now on. */
  stopRecording() {
    this.#isRecording = false;
    this.#entries = [];
  }

  #carry(socket) {
    const connection = (this.#connections += 1);
    const onward = connect(this.#port, '127.0.0.1');
    this.#pump(connection, true, socket, onward);
    this.#pump(connection, false, onward, socket);
  }

  #pump(connection, isSent, from, to) {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      this.bytes += chunk.length;
      if (this.#isRecording) this.#entries.push({ connection, isSent, chunk });
    });
    from.pipe(to);
    // One side has broken off: so does the other.
    from.on('error', () => to.destroy()).on('close', () => to.destroySoon());
  }
}
