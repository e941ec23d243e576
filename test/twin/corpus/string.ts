import type { Group } from '../script.ts';

export const strings: Group = {
  name: 'strings',
  plain: {
    'GET and SET': `
      GET k
      SET k v
      GET k
      SET k ""
      GET k
      GET list
      SET list now-a-string
      GET list
      GET missing`,
    'SET with conditions and GET': String.raw`
      SET k v NX
      GET k
      SET k w NX
      SET k w XX
      GET k
      SET missing w XX
      GET missing
      SET k x GET
      SET new x GET
      SET new y NX GET
      SET new2 y NX GET
      SET list y GET
      SET k v XX KEEPTTL
      SET k v NX XX
      SET k v GET EX`,
    'SET with a time to live': `
      SET k v EX 100
      TTL k
      SET k v PX 100000
      PTTL k
      SET k v EXAT 4102444800
      EXPIRETIME k
      SET k v PXAT 4102444800000
      PEXPIRETIME k
      SET k w KEEPTTL
      PEXPIRETIME k
      SET k w
      TTL k
      SET k v EX 0
      SET k v EX -1
      SET k v EX notanumber
      SET k v PX 9223372036854775807
      SET k v EX 10 PX 10
      SET k v KEEPTTL EX 10
      SET k v EXAT 1
      GET k`,
    'GETEX and GETDEL': `
      GETEX str
      GETEX str EX 100
      TTL str
      GETEX str PXAT 4102444800000
      PEXPIRETIME str
      GETEX str PERSIST
      TTL str
      GETEX missing
      GETEX list
      GETEX str EX 0
      GETEX str PERSIST EX 1
      GETEX str EXAT 1
      GET str
      GETDEL num
      GET num
      GETDEL num
      GETDEL list`,
    'GETSET, SETNX, SETEX and PSETEX': `
      GETSET str other
      GET str
      GETSET missing v
      GET missing
      GETSET list v
      SETNX k v
      SETNX k w
      GET k
      SETEX k 100 w
      TTL k
      SETEX k 0 w
      SETEX k x w
      PSETEX k 100000 x
      PTTL k
      PSETEX k -1 x
      GET k
      SETEX list 100 v
      GET list
      PSETEX hash 100000 v
      GET hash`,
    'MGET, MSET and MSETNX': `
      MGET str missing list num
      MGET str
      MGET missing
      MSET a 1 b 2 list 3
      MGET a b list
      MSET a 1 a 2
      GET a
      MSETNX c 1 d 2
      MSETNX c 3 e 4
      MGET c d e`,
    'MSET and MSETNX without a value': `
      MSET a
      MSET a 1 b
      MSETNX a
      MSETNX a 1 b`,
    counters: `
      GET num
      INCR num
      GET num
      DECR num
      INCRBY num 5
      DECRBY num 20
      GET num
      INCR missing
      DECR missing2
      INCRBY missing3 -4
      DECRBY missing4 4
      INCR str
      DECR str
      INCRBY str 1
      DECRBY str 1
      INCR list
      DECR list
      INCRBY list 1
      DECRBY list 1
      INCRBY num x
      DECRBY num -9223372036854775808
      SET max 9223372036854775807
      INCR max
      GET max
      SET zero 1
      DECR zero
      DECRBY zero 0
      INCRBY zero 0
      SET minus -1
      INCR minus`,
    INCRBYFLOAT: `
      INCRBYFLOAT num 0.1
      GET num
      INCRBYFLOAT num -10.1
      INCRBYFLOAT num 5e3
      GET num
      INCRBYFLOAT missing 3.0
      INCRBYFLOAT str 1
      INCRBYFLOAT list 1
      INCRBYFLOAT num x
      INCRBYFLOAT num inf
      INCRBYFLOAT missing2 0`,
    'APPEND, STRLEN, SETRANGE and GETRANGE': `
      STRLEN str
      APPEND str " world"
      GET str
      STRLEN str
      APPEND missing ""
      APPEND missing2 x
      APPEND list x
      STRLEN nothing
      STRLEN list
      GETRANGE str 0 4
      GETRANGE str -5 -1
      GETRANGE str 5 1
      GETRANGE nothing 0 -1
      GETRANGE list 0 1
      SUBSTR str 0 4
      SUBSTR nothing 0 4
      SUBSTR list 0 4
      SETRANGE str 6 Redis
      GET str
      SETRANGE pad 5 x
      GET pad
      SETRANGE nothing 0 ""
      SETRANGE str -1 x
      SETRANGE str 536870912 x
      SETRANGE list 0 x
      GETRANGE str x 1
      STRLEN str`,
    LCS: `
      MSET s1 ohmytext s2 mynewtext
      LCS s1 s2
      LCS s1 s2 LEN
      LCS s1 s2 IDX
      LCS s1 s2 IDX MINMATCHLEN 4
      LCS s1 s2 IDX MINMATCHLEN 4 WITHMATCHLEN
      LCS s1 missing
      LCS s1 missing IDX
      LCS s1 missing LEN
      LCS s1 list
      LCS s1 s2 LEN IDX
      LCS s1 s2 NOPE`,
    'every byte in keys and values': [
      ['SET', allBytes(), allBytes()],
      ['GET', allBytes()],
      ['STRLEN', allBytes()],
      ['APPEND', allBytes(), '\r\n'],
      ['GET', allBytes()],
      ['MGET', allBytes(), '\xff', '\xfe', ''],
      ['SET', '\xff', 'ff'],
      ['SET', '\xfe', 'fe'],
      ['SET', '', 'the empty key'],
      ['GET', '\xff'],
      ['GET', '\xfe'],
      ['GET', ''],
      ['DEL', '\xff'],
      ['MGET', '\xff', '\xfe', ''],
      ['SET', 'k', '$5\r\nhello\r\n*1\r\n'],
      ['GET', 'k'],
      ['SET', 'k', '\r\n'],
      ['GET', 'k'],
      ['HSET', 'hash', allBytes(), allBytes()],
      ['HGETALL', 'hash'],
    ],
  },
};

function allBytes(): Buffer {
  return Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
}
