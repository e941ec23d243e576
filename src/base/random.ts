/** A source of numbers in [0, 1), passed in so that jitter repeats in tests. */
export type Random = () => number;

// oxlint-disable-next-line no-restricted-properties -- the one place that may
export const systemRandom: Random = () => Math.random();
