import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @import { AddressInfo, Socket } from 'node:net' */

/**
 * What crossed on one connection, from the point of view of the side that opened it.
 *
 * @typedef {object} Conversation
 * @property {Buffer} sent
 * @property {Buffer} received
 */

/**
 * A TCP proxy that keeps a copy of every byte that it carries: what an eavesdropper on the path between two relays
 * sees.
 */
export class Tap {
  #server = createServer((socket) => this.#carry(socket));
  #port = 0;
  /** @type {{ connection: number, isSent: boolean, chunk: Buffer }[]} */
  #entries = [];
  #connections = 0;
  #isRecording = true;

  /**
   * Listens on a free loopback port.
   *
   * @returns {Promise<string>} its origin
   */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = /** @type {AddressInfo} */ (this.#server.address());
    return `http://127.0.0.1:${port}`;
  }

  /**
   * Names the origin behind the tap. Must be called before the first connection.
   *
   * @param {string} origin
   */
  connectTo(origin) {
    this.#port = Number(new URL(origin).port);
  }

  /** The current position in the recording. */
  get mark() {
    return this.#entries.length;
  }

  /**
   * What crossed since a mark.
   *
   * @param {number} mark
   * @returns {Conversation[]} in the order of the connections
   */
  conversations(mark = 0) {
    /** @type {Map<number, { sent: Buffer[], received: Buffer[] }>} */
    const byConnection = new Map();
    for (const { connection, isSent, chunk } of this.#entries.slice(mark)) {
      const chunks = byConnection.get(connection) ?? { sent: [], received: [] };
      chunks[isSent ? 'sent' : 'received'].push(chunk);
      byConnection.set(connection, chunks);
    }
    return [...byConnection.values()].map(({ sent, received }) => ({
      sent: Buffer.concat(sent),
      received: Buffer.concat(received),
    }));
  }

  /** Discards the recording and records nothing from now on. */
  stopRecording() {
    this.#isRecording = false;
    this.#entries = [];
  }

  /** @param {Socket} socket */
  #carry(socket) {
    const connection = (this.#connections += 1);
    const onward = connect(this.#port, '127.0.0.1');
    this.#pump(connection, true, socket, onward);
    this.#pump(connection, false, onward, socket);
  }

  /**
   * @param {number} connection
   * @param {boolean} isSent
   * @param {Socket} from
   * @param {Socket} to
   */
  #pump(connection, isSent, from, to) {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (this.#isRecording) {
        this.#entries.push({ connection, isSent, chunk });
      }
    });
    from.pipe(to);
    // When one side is reset or closes, the other side must end too.
    from.on('error', () => to.destroy()).on('close', () => to.destroySoon());
  }
}
