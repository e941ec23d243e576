import { harmlessStream } from '../harmless.ts';
import { mutate } from '../mutate.ts';
import { mustAgree } from '../oracle.ts';
import type { Strategy } from '../strategy.ts';

/** Valid pipelines with a few bytes flipped, lost, repeated, moved or added. */
export const mutatedStreams: Strategy = {
  name: 'mutated streams',
  workers: 2,
  round(target, random) {
    return mustAgree(target, random, mutate(harmlessStream(random), random).subarray(0, 16_000));
  },
};
