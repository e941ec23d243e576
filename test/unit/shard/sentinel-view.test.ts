import { beforeEach, describe, expect, it } from 'vitest';

import type { HostPort, SentinelAnswer } from '../../../src/shard/sentinel-answer.ts';
import { SentinelView } from '../../../src/shard/sentinel-view.ts';

const A = { host: 'a', port: 1 };
const B = { host: 'b', port: 2 };
const C = { host: 'c', port: 3 };

let view: SentinelView;
let now: number;

/** One of three sentinels. */
function says(
  id: 's1' | 's2' | 's3',
  primary: HostPort,
  epoch: number,
  more: Partial<SentinelAnswer> = {},
): SentinelAnswer {
  const others = ['s1', 's2', 's3'].filter((other) => other !== id).map((other) => ({ ...A, id: other }));
  return { id, primary, epoch, askedAt: now, isDoubted: false, replicas: [], others, ...more };
}

function hear(...answers: SentinelAnswer[]): boolean {
  return view.update(answers, now, false);
}

beforeEach(() => {
  view = new SentinelView(1);
  now = 1000;
});

describe('the first primary', () => {
  it('is the newest of what a majority has answered', () => {
    expect(hear(says('s1', A, 1))).toBe(false);
    expect(hear(says('s1', A, 1), says('s2', B, 2))).toBe(true);
    expect(view.primary).toEqual(B);
  });

  it('is what there is when waiting has to end', () => {
    expect(view.update([], now, true)).toBe(false);
    expect(view.update([says('s1', A, 1)], now, true)).toBe(true);
    expect(view.primary).toEqual(A);
    expect(view.confirmedAt).toBe(-Infinity);
  });

  it('waits for as many as were configured, even if they do not know one another yet', () => {
    view = new SentinelView(3);
    expect(hear(says('s1', A, 0, { others: [] }))).toBe(false);
    expect(hear(says('s1', A, 0, { others: [] }), says('s2', A, 0, { others: [] }))).toBe(true);
  });

  it('is the one that most name when their epochs are equal', () => {
    hear(says('s1', A, 0), says('s2', B, 0), says('s3', B, 0));
    expect(view.primary).toEqual(B);
  });
});

describe('another primary', () => {
  beforeEach(() => {
    hear(says('s1', A, 4), says('s2', A, 4), says('s3', A, 4));
    now = 2000;
  });

  it('is followed on the word of one sentinel with a newer epoch', () => {
    expect(hear(says('s1', A, 4), says('s2', B, 5), says('s3', A, 4))).toBe(true);
    expect(view.primary).toEqual(B);
  });

  it('is not taken back by those who have not heard yet, not even all of them', () => {
    hear(says('s1', B, 5));
    expect(hear(says('s1', B, 5), says('s2', A, 4), says('s3', A, 4))).toBe(false);
    expect(hear(says('s2', A, 4), says('s3', A, 4))).toBe(false);
    now += 7999;
    expect(hear(says('s2', A, 4), says('s3', A, 4))).toBe(false);
    expect(view.primary).toEqual(B);
  });

  it('is not taken from one sentinel with the same epoch', () => {
    expect(hear(says('s1', A, 4), says('s2', B, 4))).toBe(false);
    expect(view.primary).toEqual(A);
  });

  it('is followed back when a majority stays with an older configuration and nobody contradicts', () => {
    const past = (): SentinelAnswer[] => [says('s1', C, 0), says('s2', C, 0)];
    expect(hear(...past(), says('s3', A, 4))).toBe(false);
    now += 60_000;
    expect(hear(...past())).toBe(false);
    now += 8000;
    expect(hear(...past())).toBe(true);
    expect(view.primary).toEqual(C);
    expect(view.confirmedAt).toBe(now);
  });

  it('starts to wait anew when someone contradicts meanwhile', () => {
    const past = (): SentinelAnswer[] => [says('s1', C, 0), says('s2', C, 0)];
    hear(...past());
    now += 5000;
    hear(...past(), says('s3', A, 4));
    now += 5000;
    expect(hear(...past())).toBe(false);
    now += 5000;
    expect(hear(...past())).toBe(false);
    expect(view.primary).toEqual(A);
  });

  it('is not a dead one of the past', () => {
    const dead = { isDoubted: true };
    hear(says('s1', A, 4), says('s2', B, 5));
    for (let i = 0; i < 10; i++, now += 4000) hear(says('s1', A, 4, dead), says('s3', A, 4, dead));
    expect(view.primary).toEqual(B);
  });

  it('is followed back when all that is newer is dead', () => {
    const votes = (): SentinelAnswer[] => [
      says('s1', B, 5, { isDoubted: true }),
      says('s2', A, 4),
      says('s3', A, 4),
    ];
    hear(...votes());
    expect(view.primary).toEqual(B);
    hear(...votes());
    now += 8000;
    expect(hear(...votes())).toBe(true);
    expect(view.primary).toEqual(A);
  });

  it('has its long life counted as no reason to believe an older configuration at once', () => {
    hear(says('s1', A, 4), says('s2', A, 4));
    now += 7000;
    hear(says('s1', A, 4), says('s2', A, 4));
    const { confirmedAt } = view;
    now += 1500;
    for (let i = 0; i < 2; i++) hear(says('s1', A, 3), says('s2', A, 3));
    expect(view.confirmedAt).toBe(confirmedAt);
  });

  it('is confirmed again after sentinels were told of the same primary anew', () => {
    const anew = (): SentinelAnswer[] => [says('s1', A, 0), says('s2', A, 0), says('s3', A, 0)];
    hear(...anew());
    expect(view.confirmedAt).toBe(1000);
    now += 8000;
    expect(hear(...anew())).toBe(false);
    expect(view.confirmedAt).toBe(now);
  });
});

describe('the confirmation', () => {
  it('is the time since which a majority has agreed', () => {
    hear(says('s1', A, 1, { askedAt: 900 }), says('s2', A, 1, { askedAt: 700 }));
    expect(view.confirmedAt).toBe(700);
    hear(
      says('s1', A, 1, { askedAt: 900 }),
      says('s2', A, 1, { askedAt: 700 }),
      says('s3', A, 1, { askedAt: 800 }),
    );
    expect(view.confirmedAt).toBe(800);
  });

  it('stands still while a majority is silent, behind or in doubt', () => {
    hear(says('s1', A, 1), says('s2', A, 1), says('s3', A, 1));
    now = 2000;
    hear(says('s1', A, 1));
    hear(says('s1', A, 1), says('s2', A, 0), says('s3', A, 0));
    hear(says('s1', A, 1), says('s2', A, 1, { isDoubted: true }), says('s3', A, 1, { isDoubted: true }));
    expect(view.confirmedAt).toBe(1000);
    hear(says('s1', A, 1), says('s2', A, 1), says('s3', A, 1, { isDoubted: true }));
    expect(view.confirmedAt).toBe(2000);
  });

  it('counts a sentinel once, at however many addresses it answers', () => {
    hear(says('s1', A, 1), says('s2', A, 1));
    now = 2000;
    hear(says('s1', A, 1), says('s1', A, 1));
    expect(view.confirmedAt).toBe(1000);
  });

  it('never goes back', () => {
    hear(says('s1', A, 1), says('s2', A, 1));
    hear(says('s1', A, 1, { askedAt: 400 }), says('s2', A, 1, { askedAt: 400 }));
    expect(view.confirmedAt).toBe(1000);
  });
});

describe('replicas', () => {
  it('are those that more than half of the agreeing sentinels see up, in a fixed order', () => {
    hear(
      says('s1', A, 1, { replicas: [C, B] }),
      says('s2', A, 1, { replicas: [B, C] }),
      says('s3', A, 1, { replicas: [B] }),
    );
    expect(view.replicas).toEqual([B, C]);
    expect(hear(says('s1', A, 1, { replicas: [C] }), says('s2', A, 1, { replicas: [C, B] }))).toBe(true);
    expect(view.replicas).toEqual([C]);
    expect(hear(says('s1', A, 1, { replicas: [C] }))).toBe(false);
  });

  it('stay as they were while no sentinel answers', () => {
    hear(says('s1', A, 1, { replicas: [B] }), says('s2', A, 1, { replicas: [B] }));
    expect(hear()).toBe(false);
    expect(view.replicas).toEqual([B]);
  });

  it('are those of the new primary after a change', () => {
    hear(says('s1', A, 1, { replicas: [B] }), says('s2', A, 1, { replicas: [B] }));
    hear(says('s1', B, 2, { replicas: [C] }), says('s2', A, 1, { replicas: [B] }));
    expect(view.replicas).toEqual([C]);
  });
});
