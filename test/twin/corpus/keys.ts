import { on, type Group } from '../script.ts';

/** `DUMP` of the string hello, in the format that Redis 7.0 writes and all later read. */
const dumpOfHello = Buffer.from('000568656c6c6f0a006372df766534200a', 'hex');

export const keys: Group = {
  name: 'keys',
  plain: {
    'DEL, UNLINK, EXISTS, TOUCH and TYPE': `
      EXISTS str
      EXISTS str missing str
      EXISTS missing
      TOUCH str list
      TOUCH missing
      TYPE str
      TYPE list
      TYPE hash
      TYPE set
      TYPE zset
      TYPE stream
      TYPE missing
      DEL str missing
      EXISTS str
      DEL missing
      UNLINK list hash
      UNLINK missing
      TYPE list
      EXISTS list hash set`,
    'a deleted key is gone from every kind of read': `
      GET str
      LRANGE list 0 -1
      HGETALL hash
      SMEMBERS ints
      ZRANGE zset 0 -1 WITHSCORES
      XRANGE stream - +
      DEL str list hash ints zset stream
      GET str
      LRANGE list 0 -1
      HGETALL hash
      SMEMBERS ints
      ZRANGE zset 0 -1 WITHSCORES
      XRANGE stream - +`,
    'EXPIRE and its kin': `
      EXPIRE str 100
      TTL str
      PTTL str
      EXPIRE str 100 NX
      EXPIRE str 200 XX
      EXPIRE str 50 GT
      EXPIRE str 50 LT
      EXPIRE missing 10
      PEXPIRE str 100000
      PEXPIRE missing 1
      PEXPIRE str 1000 GT
      EXPIREAT str 4102444800
      EXPIRETIME str
      EXPIREAT missing 4102444800
      EXPIREAT str 4102444800 GT
      PEXPIREAT str 4102444800123
      PEXPIRETIME str
      PEXPIREAT missing 4102444800123
      PEXPIREAT str 1 GT
      PERSIST str
      PERSIST str
      PERSIST missing
      TTL str
      PTTL str
      EXPIRETIME str
      PEXPIRETIME str
      TTL missing
      PTTL missing
      EXPIRETIME missing
      PEXPIRETIME missing
      EXPIRE str x
      EXPIRE str 10 NX XX
      EXPIRE str 10 NOPE
      EXPIRE str 9223372036854775807
      GET str
      EXPIRE str 0
      GET str
      PEXPIRE num -1
      GET num
      EXPIREAT list 1
      LRANGE list 0 -1
      PEXPIREAT hash 1
      HGETALL hash`,
    'RENAME, RENAMENX and COPY': `
      GET str
      RENAME str str2
      GET str
      GET str2
      RENAME missing x
      RENAME str2 list
      GET list
      RENAMENX num hash
      RENAMENX num num2
      GET num2
      RENAMENX missing x
      COPY list copied
      GET copied
      COPY list copied
      COPY list copied REPLACE
      COPY missing x
      COPY hash hash2 DB 1
      COPY list list
      COPY list x DB 99
      COPY list x NOPE
      HGETALL hash`,
    'DUMP and RESTORE': [
      'DUMP str',
      'DUMP list',
      'DUMP missing',
      ['RESTORE', 'r', '0', dumpOfHello],
      ['GET', 'r'],
      ['RESTORE', 'r', '0', dumpOfHello],
      ['RESTORE', 'r', '0', dumpOfHello, 'REPLACE'],
      ['RESTORE', 'r2', '4102444800000', dumpOfHello, 'ABSTTL', 'IDLETIME', '10'],
      ['PEXPIRETIME', 'r2'],
      ['RESTORE-ASKING', 'r3', '100000', dumpOfHello],
      ['GET', 'r3'],
      ['RESTORE', 'r4', '0', 'broken'],
      ['RESTORE', 'r4', '-1', dumpOfHello],
      ['RESTORE', 'r4', '0', dumpOfHello, 'FREQ', '300'],
    ],
    'OBJECT and MEMORY USAGE': `
      OBJECT ENCODING str
      OBJECT ENCODING num
      OBJECT ENCODING list
      OBJECT ENCODING ints
      OBJECT ENCODING zset
      OBJECT ENCODING missing
      OBJECT REFCOUNT str
      OBJECT REFCOUNT missing
      OBJECT IDLETIME str
      OBJECT IDLETIME missing
      OBJECT FREQ str
      OBJECT FREQ missing
      OBJECT HELP
      MEMORY USAGE str
      MEMORY USAGE list SAMPLES 0
      MEMORY USAGE missing
      MEMORY USAGE str SAMPLES x`,
    'SORT and SORT_RO': `
      RPUSH nums 3 1 2
      SORT nums
      SORT nums DESC LIMIT 0 2
      SORT nums LIMIT 5 5
      SORT list
      SORT list ALPHA
      SORT missing
      MSET w_1 30 w_2 20 w_3 10 o_1 one o_2 two
      SORT nums BY w_*
      SORT nums BY w_* GET o_* GET #
      SORT nums BY nosort GET o_*
      HSET h_1 f 9 v x
      SORT nums BY h_*->f GET h_*->v
      SORT nums STORE sorted
      LRANGE sorted 0 -1
      SORT missing STORE sorted
      LRANGE sorted 0 -1
      SORT hash
      SORT str
      SORT nums NOPE
      SORT_RO nums
      SORT_RO nums BY w_* GET o_*
      SORT_RO missing
      SORT_RO hash
      SORT_RO nums STORE x
      SORT zset ALPHA
      SORT ints DESC`,
  },
  scripts: {
    'OBJECT FREQ counts under an LFU policy': {
      steps: [
        'CONFIG SET maxmemory-policy allkeys-lfu',
        'SET k v',
        'OBJECT FREQ k',
        'CONFIG SET maxmemory-policy noeviction',
      ],
    },
    MIGRATE: {
      steps: [
        on('a', 'MIGRATE 127.0.0.1 {other} missing 0 1000'),
        on('a', 'GET str'),
        on('a', 'MIGRATE 127.0.0.1 {other} str 0 1000 REPLACE'),
        on('a', 'GET str'),
        on('a', 'MIGRATE 127.0.0.1 {other} "" 0 1000 COPY REPLACE KEYS num list'),
        on('a', 'GET num'),
        on('a', 'MIGRATE 127.0.0.1 {other} "" 0 1000 REPLACE KEYS num list'),
        on('a', 'GET num'),
        on('a', 'MIGRATE 127.0.0.1 1 hash 0 1000'),
        on('a', 'MIGRATE 127.0.0.1 {other} hash 0 x'),
        on('a', 'HGETALL hash'),
      ],
    },
    'a key that expires is gone': {
      steps: [
        'PSETEX soon 30 v',
        'GET soon',
        { until: 'EXISTS soon', shows: ':0' },
        // The answer to a write comes behind the invalidation, so from here on nearcache knows.
        'SET fence 1',
        'GET soon',
        'TTL soon',
        'EXISTS soon',
        'SET soon again PX 40',
        'HSET hash f v',
        'PEXPIRE hash 40',
        'HGETALL hash',
        { until: 'EXISTS soon hash', shows: ':0' },
        'SET fence 2',
        'MGET soon str',
        'HGETALL hash',
      ],
    },
  },
};
