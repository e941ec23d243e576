/** The simulated policies once more, written down for clarity alone: lists as arrays, oldest first, everything searched. */
export type Model = (key: number) => boolean;

function take(list: number[], key: number): boolean {
  const at = list.indexOf(key);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

export function fifoModel(capacity: number): Model {
  const queue: number[] = [];
  return (key) => {
    if (queue.includes(key)) return true;
    if (queue.length === capacity) queue.shift();
    queue.push(key);
    return false;
  };
}

export function lruModel(capacity: number): Model {
  const map = new Map<number, true>();
  return (key) => {
    const hit = map.delete(key);
    if (map.size === capacity) map.delete(map.keys().next().value as number);
    map.set(key, true);
    return hit;
  };
}

export function clockModel(capacity: number): Model {
  const queue: { key: number; used: boolean }[] = [];
  return (key) => {
    const found = queue.find((each) => each.key === key);
    if (found !== undefined) {
      found.used = true;
      return true;
    }
    while (queue.length === capacity) {
      const oldest = queue.shift()!;
      if (oldest.used) queue.push({ key: oldest.key, used: false });
    }
    queue.push({ key, used: false });
    return false;
  };
}

export function sieveModel(capacity: number): Model {
  const queue: { key: number; used: boolean }[] = [];
  let hand = 0;
  return (key) => {
    const found = queue.find((each) => each.key === key);
    if (found !== undefined) {
      found.used = true;
      return true;
    }
    if (queue.length === capacity) {
      if (hand === queue.length) hand = 0;
      while (queue[hand]!.used) {
        queue[hand]!.used = false;
        hand = (hand + 1) % queue.length;
      }
      queue.splice(hand, 1);
      // At the newest the hand starts again, even if a newer key comes before the next eviction.
      if (hand === queue.length) hand = 0;
    }
    queue.push({ key, used: false });
    return false;
  };
}

export function slruModel(capacity: number): Model {
  const [probation, safe] = [[] as number[], [] as number[]];
  return (key) => {
    if (take(probation, key) || take(safe, key)) {
      safe.push(key);
      if (safe.length > 0.8 * capacity) probation.push(safe.shift()!);
      return true;
    }
    if (probation.length + safe.length === capacity) (probation.length > 0 ? probation : safe).shift();
    probation.push(key);
    return false;
  };
}

export function twoQueueModel(capacity: number): Model {
  const [fresh, gone, main] = [[] as number[], [] as number[], [] as number[]];
  const reclaim = (): void => {
    if (fresh.length + main.length < capacity) return;
    if (fresh.length <= capacity / 4 && main.length > 0) {
      main.shift();
      return;
    }
    gone.push(fresh.shift()!);
    if (gone.length > capacity / 2) gone.shift();
  };
  return (key) => {
    if (fresh.includes(key)) return true;
    if (take(main, key)) {
      main.push(key);
      return true;
    }
    const known = take(gone, key);
    reclaim();
    (known ? main : fresh).push(key);
    return false;
  };
}

/** Figure 4 of the paper, line by line. */
export function arcModel(c: number): Model {
  const [t1, b1, t2, b2] = [[] as number[], [] as number[], [] as number[], [] as number[]];
  let p = 0;
  const replace = (key: number): void => {
    if (t1.length >= 1 && ((b2.includes(key) && t1.length === p) || t1.length > p)) b1.push(t1.shift()!);
    else b2.push(t2.shift()!);
  };
  return (key) => {
    if (take(t1, key) || take(t2, key)) {
      t2.push(key);
      return true;
    }
    if (b1.includes(key) || b2.includes(key)) {
      const [one, two] = [b1.length, b2.length];
      if (b1.includes(key)) p = Math.min(c, p + (one >= two ? 1 : two / one));
      else p = Math.max(0, p - (two >= one ? 1 : one / two));
      replace(key);
      take(b1, key);
      take(b2, key);
      t2.push(key);
      return false;
    }
    const total = t1.length + t2.length + b1.length + b2.length;
    if (t1.length + b1.length === c) {
      if (t1.length < c) {
        b1.shift();
        replace(key);
      } else t1.shift();
    } else if (total >= c) {
      if (total === 2 * c) b2.shift();
      replace(key);
    }
    t1.push(key);
    return false;
  };
}

/** Evicts whom `rank` puts lowest; it is told the times of all requests of a key so far, oldest first. */
export function rankedModel(capacity: number, rank: (times: readonly number[]) => number): Model {
  const times = new Map<number, number[]>();
  const held = new Set<number>();
  let now = 0;
  return (key) => {
    const hit = held.has(key);
    if (!hit && held.size === capacity) {
      const ranked = [...held].toSorted((a, b) => rank(times.get(a)!) - rank(times.get(b)!));
      held.delete(ranked[0]!);
    }
    held.add(key);
    times.set(key, [...(times.get(key) ?? []), now++]);
    return hit;
  };
}

/** The most hits that any choice of what to keep can have, by trying all of them. */
export function mostHits(requests: readonly number[], capacity: number): number {
  const known = new Map<string, number>();
  const best = (at: number, held: readonly number[]): number => {
    if (at === requests.length) return 0;
    const state = `${at} ${held.join()}`;
    const before = known.get(state);
    if (before !== undefined) return before;
    const key = requests[at]!;
    const hit = held.includes(key);
    const all = hit ? held : [...held, key].toSorted((a, b) => a - b);
    const kept = all.length <= capacity ? [all] : all.map((_, i) => all.toSpliced(i, 1));
    const most = (hit ? 1 : 0) + Math.max(...kept.map((each) => best(at + 1, each)));
    known.set(state, most);
    return most;
  };
  return best(0, []);
}
