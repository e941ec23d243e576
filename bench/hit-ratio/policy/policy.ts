/** What is replayed. Shape: `requests` are keys 0 … `keys` - 1; `weights` has what each key takes of the capacity,
 *  without it each takes 1. */
export interface Workload {
  readonly requests: Uint32Array;
  readonly keys: number;
  readonly weights: Uint32Array | undefined;
}

/** A cache that is read through: whatever was not in it has been fetched and offered to it when `request` returns. */
export interface Policy {
  /** Was it there? Must be called with the requests of its workload, in their order. */
  request(key: number): boolean;
}

/** Makes an empty cache. Units: `capacity` in the unit of the weights. */
export type PolicyMaker = (workload: Workload, capacity: number) => Policy;

/** How many requests of the workload the policy answers. */
export function replay({ requests }: Workload, policy: Policy): number {
  let hits = 0;
  for (let i = 0; i < requests.length; i++) if (policy.request(requests[i] as number)) hits++;
  return hits;
}

/** What the key takes of the capacity. */
export function weightOf(weights: Uint32Array | undefined, key: number): number {
  return weights === undefined ? 1 : (weights[key] as number);
}

/** How many entries of average weight the capacity is for. */
export function entriesIn({ weights, keys }: Workload, capacity: number): number {
  if (weights === undefined) return capacity;
  let sum = 0;
  for (let key = 0; key < keys; key++) sum += weights[key] as number;
  return Math.max(1, Math.round((capacity * keys) / Math.max(1, sum)));
}
