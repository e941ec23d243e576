import { setTimeout as delay } from 'node:timers/promises';

import { slotOf } from '../../../src/route/hash-slot.ts';
import type { Ring } from '../../../src/route/ring.ts';

/** Knows, past nearcache, where keys are. */
export interface Directory {
  /** The port of the server that has the key now. Shape: `key` is latin1. */
  portOf(key: string): number;
  /** A server says that another one has the key. */
  moved(key: string, port: number): void;
  /** Nobody answers there. */
  failed(port: number): void;
}

/** Servers that divide the keys for ever; one has them all. */
export class FixedDirectory implements Directory {
  readonly #ports: readonly number[];
  readonly #ring: Ring | undefined;

  constructor(ports: readonly number[], ring: Ring | undefined) {
    this.#ports = ports;
    this.#ring = ring;
  }

  portOf(key: string): number {
    return this.#ports[this.indexOf(key)] as number;
  }

  indexOf(key: string): number {
    const bytes = Buffer.from(key, 'latin1');
    return this.#ring?.place(bytes, 0, bytes.length) ?? 0;
  }

  moved(): void {}

  failed(): void {}
}

/** How long a server is left alone that did not answer. */
const AVOIDED_MS = 300;

/** A Cluster, as redirects tell of it. */
export class ClusterDirectory implements Directory {
  readonly #ports: readonly number[];
  readonly #slots = new Map<number, number>();
  readonly #avoided = new Set<number>();

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  portOf(key: string): number {
    const known = this.#slots.get(slotOfKey(key));
    if (known !== undefined) return known;
    const usable = this.#ports.filter((port) => !this.#avoided.has(port));
    return usable[slotOfKey(key) % usable.length] ?? (this.#ports[0] as number);
  }

  moved(key: string, port: number): void {
    this.#slots.set(slotOfKey(key), port);
  }

  failed(port: number): void {
    for (const [slot, owner] of this.#slots) if (owner === port) this.#slots.delete(slot);
    this.#avoided.add(port);
    void delay(AVOIDED_MS, undefined, { ref: false }).then(() => this.#avoided.delete(port));
  }
}

/** The slot of a key of a Cluster. Shape: `key` is latin1. */
export function slotOfKey(key: string): number {
  const bytes = Buffer.from(key, 'latin1');
  return slotOf(bytes, 0, bytes.length);
}

/** One primary after another, of which somebody tells. */
export class PrimaryDirectory implements Directory {
  port: number;

  constructor(port: number) {
    this.port = port;
  }

  portOf(): number {
    return this.port;
  }

  moved(): void {}

  failed(): void {}
}
