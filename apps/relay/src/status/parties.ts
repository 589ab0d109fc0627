import { PartyTraffic } from './party-traffic.js';

/** Parties that are counted apart. A client with a token can name any number of peers, which must not use up the memory. */
const MAX_PARTIES = 200;

/** The traffic of peers or of clients, by a key of each. */
export class Parties {
  private readonly byKey = new Map<string, PartyTraffic>();

  /** The traffic of a party that is there. */
  find(key: string): PartyTraffic | undefined {
    return this.byKey.get(key);
  }

  /** The traffic of a party, to be added to. One that was not used for the longest time makes room for a new one. */
  of(key: string): PartyTraffic {
    const known = this.byKey.get(key);
    if (known !== undefined) {
      return known;
    }
    if (this.byKey.size >= MAX_PARTIES) {
      this.byKey.delete(this.leastRecent());
    }
    const traffic = new PartyTraffic();
    this.byKey.set(key, traffic);
    return traffic;
  }

  private leastRecent(): string {
    let [oldest, oldestAtMs] = ['', Infinity];
    for (const [key, { lastAtMs }] of this.byKey) {
      if (lastAtMs < oldestAtMs) {
        [oldest, oldestAtMs] = [key, lastAtMs];
      }
    }
    return oldest;
  }
}
