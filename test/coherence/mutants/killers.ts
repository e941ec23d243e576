import type { Killer } from './mutant.ts';

/** Scenarios of the interleavings, by parts of their names. */
export function schedules(...titles: string[]): Killer {
  return { file: 'test/coherence/interleavings.test.ts', titles };
}

/** Tests of the rules of coherence, on a real Redis. */
export function coherence(file: string, ...titles: string[]): Killer {
  return { file: `test/coherence/${file}.test.ts`, titles };
}

/** Tests of the rules of the path, on a real Redis. */
export function path(file: string, ...titles: string[]): Killer {
  return { file: `test/integration/path/${file}.test.ts`, titles };
}

/** Tests of what is served while Redis is away, on a real Redis. */
export function outage(file: string, ...titles: string[]): Killer {
  return { file: `test/integration/outage/${file}.test.ts`, titles };
}

/** Tests of one module. */
export function unit(file: string, ...titles: string[]): Killer {
  return { file: `test/unit/${file}.test.ts`, titles };
}
