import type { Group } from '../script.ts';

export const bits: Group = {
  name: 'bitmaps and hyperloglogs',
  plain: {
    'SETBIT and GETBIT': `
      GETBIT str 1
      GETBIT str 0
      GETBIT missing 7
      GETBIT list 0
      SETBIT bits 7 1
      GETBIT bits 7
      SETBIT bits 7 0
      GETBIT bits 7
      SETBIT list 0 1
      SETBIT bits -1 1
      SETBIT bits 4294967296 1
      SETBIT bits 0 2
      GETBIT str x`,
    'BITCOUNT and BITPOS': `
      BITCOUNT str
      BITCOUNT str 0 0
      BITCOUNT str 1 10 BIT
      BITCOUNT str -1 -1 BYTE
      BITCOUNT str 5 1
      BITCOUNT missing
      BITCOUNT list
      BITCOUNT str 0
      BITCOUNT str 0 1 NOPE
      BITPOS str 1
      BITPOS str 0
      BITPOS str 1 2
      BITPOS str 1 2 -1 BIT
      BITPOS missing 0
      BITPOS missing 1
      BITPOS list 1
      BITPOS str 2
      SETBIT str 0 1
      BITPOS str 1
      BITCOUNT str`,
    BITOP: `
      SET a foobar
      SET b abcdef
      BITOP AND dest a b
      GET dest
      BITOP OR dest a b
      GET dest
      BITOP XOR dest a b
      GET dest
      BITOP NOT dest a
      GET dest
      BITOP NOT dest a b
      BITOP AND dest missing
      GET dest
      BITOP AND dest list
      BITOP NOPE dest a`,
    BITFIELD: `
      BITFIELD bf SET u8 0 200 GET u8 0 INCRBY u8 0 10
      BITFIELD bf OVERFLOW FAIL INCRBY u8 0 100
      BITFIELD bf OVERFLOW SAT INCRBY u8 0 100 OVERFLOW WRAP INCRBY i5 100 1 GET i64 0
      BITFIELD bf
      BITFIELD_RO bf GET u8 0
      BITFIELD_RO bf GET u8 #1 GET i8 0
      BITFIELD_RO missing GET u8 0
      BITFIELD_RO missing
      BITFIELD_RO list GET u8 0
      BITFIELD_RO bf SET u8 0 1
      BITFIELD list SET u8 0 1
      BITFIELD bf GET u64 0
      BITFIELD bf NOPE
      BITFIELD_RO bf GET u8 0`,
    'PFADD, PFCOUNT and PFMERGE': `
      PFCOUNT hll
      PFADD hll a
      PFADD hll d e
      PFCOUNT hll
      PFADD new
      PFADD new
      PFCOUNT new
      PFCOUNT missing
      PFCOUNT hll missing
      PFADD list a
      PFADD str a
      PFCOUNT list
      PFCOUNT str
      PFMERGE dest hll new
      PFCOUNT dest
      PFMERGE dest
      PFMERGE dest list
      PFMERGE dest str
      GET hll
      STRLEN hll`,
    PFDEBUG: `
      PFDEBUG ENCODING hll
      PFDEBUG DECODE hll
      PFDEBUG TODENSE hll
      PFDEBUG TODENSE hll
      PFDEBUG ENCODING hll
      PFDEBUG ENCODING missing
      PFDEBUG ENCODING list
      PFDEBUG NOPE hll
      PFCOUNT hll`,
  },
  scripts: {
    // It takes 0.4 s, so it runs once.
    PFSELFTEST: { protocols: [2], steps: ['PFSELFTEST'] },
  },
};
