import type { Balancer } from './balancer.js';
import { startRelayProcess, type RelayProcess } from './relay-process.js';
import type { LogLine, RelayEnvironment } from './relay.js';

/** What a replica writes on all that it forwards: its name, so that the upstream knows who asks. */
export const REPLICA_HEADER = 'x-load-replica';

/** One relay process after another behind a load balancer, as an orchestrator runs them. */
export class Replica {
  /** Ends that a test did not ask for, or that were not as they should be. */
  readonly badEnds: string[] = [];
  private environment: RelayEnvironment;
  private balancer: Balancer | undefined;
  private readonly processes: RelayProcess[] = [];
  /** Whose end was asked for. */
  private readonly unwanted = new Set<RelayProcess>();
  private readonly retiring = new Set<Promise<void>>();

  constructor(
    readonly name: string,
    environment: RelayEnvironment,
  ) {
    this.environment = { ...environment, HEADERS: JSON.stringify({ [REPLICA_HEADER]: name }) };
  }

  /** The process that serves. */
  get relay(): RelayProcess {
    const relay = this.processes.at(-1);
    if (relay === undefined) {
      throw new Error(`${this.name} was never started`);
    }
    return relay;
  }

  /** All that this replica's processes have logged. */
  get log(): readonly LogLine[] {
    return this.processes.flatMap(({ log }) => log.items);
  }

  /** Starts the first process. */
  async start(): Promise<void> {
    this.processes.push(await this.spawn(0));
  }

  /** From now on the balancer knows of every process. */
  serveBehind(balancer: Balancer): void {
    this.balancer = balancer;
    balancer.add(this.relay.port);
  }

  /** Ends the process as a power cut would, and starts another at the same address. The balancer is not told. */
  async crash(): Promise<void> {
    const { relay } = this;
    this.unwanted.add(relay);
    await relay.kill('SIGKILL');
    this.processes.push(await this.spawn(relay.port));
  }

  /** Ends the process in order, and starts another at the same address once it is gone. The balancer is not told. */
  async restart(): Promise<void> {
    const { relay } = this;
    await this.endInOrder(relay);
    this.processes.push(await this.spawn(relay.port));
  }

  /**
   * As a rolling update does it: starts a new process, takes the old one out of the balancer and ends it in order, which
   * `settled` waits for.
   *
   * @param changes - of the environment, which stay
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

  /** Resolves when every process that was replaced is gone. */
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
