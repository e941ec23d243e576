import { createHash } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type KeyHashName, keyHashNames, keyHashOf } from '../../../src/route/key-hashes.ts';
import { md5Words } from '../../../src/route/md5.ts';

const KEYS = [
  'a',
  'ab',
  'abc',
  'user:1000',
  '\xff\x80\x7f\0\xfe',
  '{user:1000}.followers',
  'Zo\xc3\xab',
  String.fromCharCode(...Array.from({ length: 70 }, (_, i) => 0x70 + i)),
  '\xe9'.repeat(64),
].map((key) => Buffer.from(key, 'latin1'));

/** What the functions of a nutcracker 0.5 (Debian, x86-64) return for KEYS when a debugger calls them. */
const VECTORS: Readonly<Record<KeyHashName, string>> = {
  one_at_a_time: 'ca2e9442 45e61e58 ed131f5b b563b74f 7236a3d2 dd71c704 204a638b 5661cb4b 40b661be',
  md5: 'b975c10c 43f47e18 98500190 2e986207 5aad093b ba7edf5f 73af44fb 3c1a595c e9361d23',
  crc16: '00007c87 007c74ff 7c749dd6 e1644671 5b687d7f 87a9d037 7c6bed4c 7f6c7d54 999ad9f4',
  crc32: '000068b7 00001e83 00003524 00001f74 000064b7 0000751e 000067ac 0000583e 00005854',
  crc32a: 'e8b7be43 9e83486d 352441c2 9f7417e3 e4b776dc 751eb097 67ac422a d83ef9f3 58543439',
  fnv1_64: '8601b7be b4eb37b8 6bafadcb d39e3d21 49e8c849 6dbcffd4 e2fdd1c2 0c90a300 8de0f365',
  fnv1a_64: '8601ec8c b545986a 0541574b ae7b4289 033c76f9 3fe1b042 1a542cbc df6c569e c40189e5',
  fnv1_32: '050c5d7e 70772d38 439c2f4b a6affca1 fe10d849 9977af54 c59d7b42 141f8ae0 c763aa05',
  fnv1a_32: 'e40c292c 4d2505ca 1a47e90b 507c1d89 0b5db779 7324d262 85c78bdc 2218731e fd492085',
  hsieh: '93642e87 5b8c0ec3 e5186b3a ddec1969 b6d05e19 616b47e0 038cdf8b bd2ef27c ed7206ee',
  murmur: '4b41757c e3b54dfb 7b0cc428 8e24aec7 f621920e cf31091d 12ab9e43 474b11c2 67b43331',
  jenkins: 'e0a38690 c1b5695b 8f415600 048c4d84 77907175 cfde9c63 998c4245 d53d885c c7f4c6df',
};

describe.each(keyHashNames)('the key hash %s', (name) => {
  const hash = keyHashOf(name);

  it("returns nutcracker's numbers", () => {
    const words = KEYS.map((key) => (hash(key, 0, key.length) >>> 0).toString(16).padStart(8, '0'));
    expect(words.join(' ')).toBe(VECTORS[name]);
  });

  it('reads nothing before or behind the key', () => {
    for (const key of KEYS) {
      const [alone, between] = [
        hash(key, 0, key.length),
        hash(Buffer.concat([key, key, key]), key.length, 2 * key.length),
      ];
      expect(between).toBe(alone);
    }
  });

  it('returns signed 32 bits, which Node need not allocate', () => {
    for (const key of KEYS) {
      const value = hash(key, 0, key.length);
      expect(Object.is(value, value | 0)).toBe(true);
    }
  });
});

describe('the key hashes', () => {
  it('agree with what Node has of them, for keys of every length up to four blocks', () => {
    const bytes = Buffer.from(Array.from({ length: 260 }, (_, i) => (i * 167 + 13) & 0xff));
    for (let end = 0; end <= bytes.length; end++) {
      const key = bytes.subarray(0, end);
      const digest = createHash('md5').update(key).digest();
      expect(Buffer.from(Int32Array.from(md5Words(bytes, 0, end)).buffer).equals(digest)).toBe(true);
      expect(keyHashOf('crc32a')(bytes, 0, end) >>> 0).toBe(zlibCrc32(key));
    }
  });

  it('have the low half of 64-bit FNV-1', () => {
    for (const key of KEYS) {
      let hash = 0xcbf29ce484222325n;
      for (const byte of new Int8Array(key)) {
        hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt.asUintN(64, BigInt(byte));
      }
      expect(keyHashOf('fnv1_64')(key, 0, key.length)).toBe(Number(BigInt.asIntN(32, hash)));
    }
  });

  it('are not found by another name, and the error lists theirs', () => {
    for (const name of ['sha1', 'toString', '']) {
      expect(() => keyHashOf(name as KeyHashName)).toThrow(
        `no hash called "${name}". There are: one_at_a_time`,
      );
    }
  });
});
