import { createServer } from 'node:net';

import type { Balancer } from '../network/balancer.js';
import { closedPort } from '../network/listen.js';
import { startRelayProcess, type RelayProcess } from './relay-process.js';
import type { LogLine, RelayEnvironment } from '../relays/relay.js';

/** A header that a replica adds to every forwarded request: its name, so that the upstream can identify it. */
export const REPLICA_HEADER = 'x-load-replica';

/** Successive relay processes behind a load balancer, as an orchestrator runs them. */
export class Replica {
  /** Descriptions of processes that ended unexpectedly or with an error. */
  readonly badEnds: string[] = [];
  private environment: RelayEnvironment;
  private balancer: Balancer | undefined;
  private readonly processes: RelayProcess[] = [];
  /** The processes that a test has ended. */
  private readonly unwanted = new Set<RelayProcess>();
  private readonly retiring = new Set<Promise<void>>();

  constructor(
    readonly name: string,
    environment: RelayEnvironment,
  ) {
    this.environment = { ...environment, HEADERS: JSON.stringify({ [REPLICA_HEADER]: name }) };
  }

  /** The current process. */
  get relay(): RelayProcess {
    const relay = this.processes.at(-1);
    if (relay === undefined) {
      throw new Error(`${this.name} was never started`);
    }
    return relay;
  }

  /** All lines that this replica's processes have logged. */
  get log(): readonly LogLine[] {
    return this.processes.flatMap(({ log }) => log.items);
  }

  /** Starts the first process, at a port that no other test is given while the process is being restarted. */
  async start(): Promise<void> {
    this.processes.push(await this.spawn(await closedPort(createServer())));
  }

  /** Adds the current process to the balancer; `replace` keeps the balancer up to date. */
  serveBehind(balancer: Balancer): void {
    this.balancer = balancer;
    balancer.add(this.relay.port);
  }

  /** Kills the process like a power cut, and starts another at the same address. The balancer is not changed. */
  async crash(): Promise<void> {
    const { relay } = this;
    this.unwanted.add(relay);
    await relay.kill('SIGKILL');
    this.processes.push(await this.spawn(relay.port));
  }

  /** Stops the process with SIGTERM, then starts another at the same address. The balancer is not changed. */
  async restart(): Promise<void> {
    const { relay } = this;
    await this.endInOrder(relay);
    this.processes.push(await this.spawn(relay.port));
  }

  /**
   * Replaces the process like a rolling update: starts a new process, removes the old one from the balancer and stops
   * the old one with SIGTERM. `settled` waits until it has ended.
   *
   * @param changes - changes to the environment, which later processes keep
   */
  async replace(changes: RelayEnvironment = {}): Promise<void> {
    const { relay } = this;
    this.environment = { ...this.environment, ...changes };
    const successor = await this.spawn(0);
    this.processes.push(successor);
    this.balancer?.add(successor.port);
    this.balancer?.remove(relay.port);
    const retired = this.endInOrder(relay).finally(() => this.retiring.delete(retired));
    this.retiring.add(retired);
  }

  /** Resolves when every replaced process has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.retiring);
  }

  async close(): Promise<void> {
    for (const relay of this.processes) {
      this.unwanted.add(relay);
      await relay.close();
    }
  }

  private async endInOrder(relay: RelayProcess): Promise<void> {
    this.unwanted.add(relay);
    const { exitCode } = await relay.kill('SIGTERM');
    if (exitCode !== 0) {
      this.badEnds.push(`${this.name} ended with ${exitCode ?? 'a signal'} instead of 0`);
    }
  }

  private async spawn(port: number): Promise<RelayProcess> {
    const relay = await startRelayProcess({ ...this.environment, PORT: String(port) });
    void relay.ended.then(({ exitCode, signal, stderr }) => {
      if (!this.unwanted.has(relay) || stderr !== '') {
        this.badEnds.push(`${this.name} ended with ${exitCode ?? signal ?? '?'}: ${stderr}`);
      }
    });
    return relay;
  }
}
