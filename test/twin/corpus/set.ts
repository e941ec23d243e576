import type { Group } from '../script.ts';

export const sets: Group = {
  name: 'sets',
  plain: {
    'SADD, SREM, SISMEMBER and their kin': `
      SMEMBERS set
      SMEMBERS ints
      SADD ints 4 5 1
      SADD ints 1
      SADD new x
      SADD str a
      SMEMBERS ints
      SMEMBERS missing
      SMEMBERS str
      SISMEMBER ints 4
      SISMEMBER ints 99
      SISMEMBER missing x
      SISMEMBER str x
      SMISMEMBER ints 4 99 1
      SMISMEMBER missing a b
      SMISMEMBER str a
      SCARD ints
      SCARD missing
      SCARD str
      SREM ints 4 99
      SREM ints 99
      SREM missing x
      SREM str x
      SISMEMBER ints 4
      SCARD ints
      SMEMBERS ints
      SREM new x
      SMEMBERS new`,
    SMOVE: `
      SMEMBERS ints
      SADD dest 9
      SMEMBERS dest
      SMOVE ints dest 1
      SMOVE ints dest 99
      SMOVE missing dest 1
      SMOVE str dest 1
      SMOVE ints str 2
      SMEMBERS ints
      SMEMBERS dest`,
    'SPOP and SRANDMEMBER': `
      SADD one x
      SRANDMEMBER one
      SRANDMEMBER one 3
      SRANDMEMBER one -3
      SRANDMEMBER one 0
      SRANDMEMBER ints 3
      SRANDMEMBER missing
      SRANDMEMBER missing 2
      SRANDMEMBER str
      SRANDMEMBER str 1
      SRANDMEMBER one x
      SMEMBERS one
      SPOP one
      SMEMBERS one
      SPOP one
      SPOP one 2
      SPOP ints 0
      SPOP ints 3
      SPOP ints 3
      SPOP ints -1
      SPOP str
      SPOP str 1
      SMEMBERS ints`,
    'SINTER, SUNION, SDIFF and SINTERCARD': `
      SADD more 2 3 4
      SINTER ints more
      SINTER ints missing
      SINTER ints str
      SUNION ints more
      SUNION missing nothing
      SUNION ints str
      SDIFF ints more
      SDIFF missing ints
      SDIFF ints str
      SINTERCARD 2 ints more
      SINTERCARD 2 ints more LIMIT 1
      SINTERCARD 1 missing
      SINTERCARD 2 ints str
      SINTERCARD 0 ints
      SINTERCARD 3 ints more
      SINTERCARD 1 ints LIMIT -1
      SINTERCARD 1 ints NOPE 1
      SREM more 2
      SINTER ints more
      SUNION ints more
      SDIFF ints more
      SINTERCARD 2 ints more
      SINTER set set
      SUNION set`,
    'SINTERSTORE, SUNIONSTORE and SDIFFSTORE': `
      SADD more 2 3 4
      SMEMBERS dest
      SINTERSTORE dest ints more
      SMEMBERS dest
      SUNIONSTORE dest ints more
      SMEMBERS dest
      SDIFFSTORE dest ints more
      SMEMBERS dest
      SINTERSTORE dest ints missing
      SMEMBERS dest
      SUNIONSTORE dest missing
      SDIFFSTORE dest missing ints
      SINTERSTORE dest ints str
      SUNIONSTORE dest ints str
      SDIFFSTORE dest ints str
      SINTERSTORE str ints more
      TYPE str`,
    SSCAN: `
      SSCAN ints 0
      SSCAN ints 0 MATCH 1*
      SSCAN ints 0 MATCH nope COUNT 9
      SSCAN missing 0
      SSCAN str 0
      SSCAN ints x
      SSCAN ints 0 COUNT 0
      SADD ints 7
      SSCAN ints 0
      SSCAN set 0`,
  },
};
