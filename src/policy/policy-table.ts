import type { Policy } from './policy.ts';
import { escaped, printPrefix } from './prefix.ts';

/** A policy less what the table itself gives it. */
export type PolicyRules = Omit<Policy, 'number' | 'prefix' | 'name'>;

/** Numbers are kept in a byte beside each entry. */
export const POLICIES_MAX = 256;

const DEFAULT_NAME = 'default';
const NONE = -1;

/** Which policy a key falls under: that of the longest prefix, by raw bytes, that the key begins with.
 *  Bounds: up to `POLICIES_MAX`, the default included; prefixes neither empty nor equal (a RangeError otherwise).
 *  Cost: a binary search over the prefixes, without allocation. */
export class PolicyTable {
  /** By number; 0 is the default. */
  readonly all: readonly Policy[];
  readonly #default: Policy;
  /** In the order of their bytes. */
  readonly #sorted: readonly Policy[];
  /** For each of `#sorted`: the place of the longest other prefix that it begins with itself, or NONE. */
  readonly #parents: Int16Array;

  constructor(rules: PolicyRules, prefixed: readonly { prefix: Buffer; rules: PolicyRules }[] = []) {
    this.#default = freeze({ ...rules, number: 0, prefix: Buffer.alloc(0), name: DEFAULT_NAME });
    const others = prefixed.map(({ prefix, rules: own }, index) =>
      freeze({ ...own, number: index + 1, prefix, name: nameOf(prefix) }),
    );
    this.all = Object.freeze([this.#default, ...others]);
    this.#sorted = others.toSorted((a, b) => Buffer.compare(a.prefix, b.prefix));
    if (this.all.length > POLICIES_MAX) throw new RangeError(`more than ${POLICIES_MAX} policies`);
    this.#parents = new Int16Array(this.#sorted.map((_, place) => this.#parentOf(place)));
  }

  /** The policy of the key bytes[start, end). */
  of(bytes: Buffer, start: number, end: number): Policy {
    const sorted = this.#sorted;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter((sorted[middle] as Policy).prefix, bytes, start, end)) high = middle;
      else low = middle + 1;
    }
    // Whatever stands from a prefix of the key up to here begins with that prefix as well: so the longest is the last one
    // up to here, or one that this one begins with.
    let place = low - 1;
    while (place !== NONE && !begins(bytes, start, end, (sorted[place] as Policy).prefix)) {
      place = this.#parents[place] as number;
    }
    return place === NONE ? this.#default : (sorted[place] as Policy);
  }

  #parentOf(place: number): number {
    const { prefix } = this.#sorted[place] as Policy;
    if (prefix.length === 0) throw new RangeError('a prefix is empty');
    for (let other = place - 1; other >= 0; other--) {
      const shorter = (this.#sorted[other] as Policy).prefix;
      if (!begins(prefix, 0, prefix.length, shorter)) continue;
      if (shorter.length === prefix.length) throw new RangeError(`two policies for ${nameOf(prefix)}`);
      return other;
    }
    return NONE;
  }
}

function freeze(policy: Policy): Policy {
  return Object.freeze(policy);
}

/** Distinct for each policy, the default included: it labels metrics. */
function nameOf(prefix: Buffer): string {
  const name = printPrefix(prefix);
  return name === DEFAULT_NAME ? escaped(prefix[0] as number) + name.slice(1) : name;
}

/** Whether `prefix` sorts behind bytes[start, end), as far as both go. */
function isAfter(prefix: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = Math.min(prefix.length, end - start);
  for (let i = 0; i < length; i++) {
    const difference = (prefix[i] as number) - (bytes[start + i] as number);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function begins(bytes: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (prefix.length > end - start) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
