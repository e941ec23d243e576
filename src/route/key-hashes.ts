/** The hashes that place a key, named as in nutcracker's `hash:`. They are here to place every key where a nutcracker on x86
 *  does; where keys may be chosen to collide, cache/key-hash.ts is the one to use. */
import { crc16, crc32, crc32a } from './crc.ts';
import { fnv1ax32, fnv1ax64, fnv1x32, fnv1x64 } from './fnv.ts';
import { hsieh } from './hsieh.ts';
import { jenkins, oneAtATime } from './jenkins.ts';
import { md5 } from './md5.ts';
import { murmur } from './murmur.ts';

/** A hash of `bytes` from `start` to before `end`.
 *  Shape: nutcracker's 32 bits as a signed number, `>>> 0` gives its own. Node would allocate for an unsigned one above 2³¹.
 *  Cost: no allocation. */
export type KeyHashFunction = (bytes: Uint8Array, start: number, end: number) => number;

/** Every name, in nutcracker's order. */
export const keyHashNames = [
  'one_at_a_time',
  'md5',
  'crc16',
  'crc32',
  'crc32a',
  'fnv1_64',
  'fnv1a_64',
  'fnv1_32',
  'fnv1a_32',
  'hsieh',
  'murmur',
  'jenkins',
] as const;

export type KeyHashName = (typeof keyHashNames)[number];

const functions: Readonly<Record<KeyHashName, KeyHashFunction>> = {
  one_at_a_time: oneAtATime,
  md5,
  crc16,
  crc32,
  crc32a,
  fnv1_64: fnv1x64,
  fnv1a_64: fnv1ax64,
  fnv1_32: fnv1x32,
  fnv1a_32: fnv1ax32,
  hsieh,
  murmur,
  jenkins,
};

/** The hash of that name.
 *  Errors: throws when there is none; the message lists all names. */
export function keyHashOf(name: KeyHashName): KeyHashFunction {
  if (Object.hasOwn(functions, name)) return functions[name];
  throw new Error(`There is no hash called "${name}". There are: ${keyHashNames.join(', ')}.`);
}
