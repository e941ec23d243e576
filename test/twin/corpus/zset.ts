import { blocked, on, read, type Group } from '../script.ts';

export const sortedSets: Group = {
  name: 'sorted sets',
  plain: {
    'ZADD, ZINCRBY, ZSCORE, ZMSCORE, ZREM and ZCARD': `
      ZSCORE zset a
      ZSCORE zset nope
      ZSCORE missing a
      ZSCORE str a
      ZMSCORE zset a nope c
      ZMSCORE missing a b
      ZMSCORE str a
      ZCARD zset
      ZCARD missing
      ZCARD str
      ZADD zset 4 d 1.5 a
      ZSCORE zset a
      ZADD zset NX 9 a 5 e
      ZADD zset XX 9 nope
      ZADD zset XX CH 2.5 a
      ZADD zset GT CH 1 a
      ZADD zset LT CH 1 a
      ZADD zset INCR 2 a
      ZADD zset NX INCR 2 a
      ZADD zset XX INCR 2 nope
      ZADD zset GT INCR -5 a
      ZADD zset LT INCR 5 a
      ZADD zset NX XX 1 a
      ZADD zset GT LT 1 a
      ZADD zset INCR 1 a 2 b
      ZADD zset x a
      ZADD zset 1
      ZADD str 1 a
      ZADD str INCR 1 a
      ZINCRBY zset 0.1 a
      ZINCRBY zset 1 new
      ZINCRBY missing 0 a
      ZINCRBY str 1 a
      ZINCRBY zset x a
      ZSCORE zset a
      ZMSCORE zset a b nope
      ZREM zset a nope
      ZREM zset a
      ZREM missing a
      ZREM str a
      ZSCORE zset a
      ZCARD zset`,
    'scores are written as Redis writes them': `
      ZADD z 0.1 a 1e22 b inf c -inf d 0.30000000000000004 e 9.9998886718268301e-321 f 13.36138933897018433 g 1000000 h -0 i
      ZRANGE z 0 -1 WITHSCORES
      ZSCORE z a
      ZSCORE z b
      ZSCORE z c
      ZSCORE z d
      ZSCORE z e
      ZSCORE z f
      ZSCORE z g
      ZMSCORE z a b c d e f g h i
      ZINCRBY z -inf c
      ZADD z nan x
      ZADD z 1e400 x
      ZPOPMAX z 2
      ZRANGE z 0 -1 WITHSCORES`,
    'ZRANGE in all its forms': `
      ZRANGE zset 0 -1
      ZRANGE zset 0 -1 WITHSCORES
      ZRANGE zset 0 -1 REV WITHSCORES
      ZRANGE zset 1 2 BYSCORE
      ZRANGE zset (1 +inf BYSCORE WITHSCORES
      ZRANGE zset +inf -inf BYSCORE REV WITHSCORES LIMIT 0 2
      ZRANGE zset [a [c BYLEX
      ZRANGE zset - + BYLEX LIMIT 1 1
      ZRANGE zset 5 9
      ZRANGE zset 5 9 WITHSCORES
      ZRANGE missing 0 -1
      ZRANGE missing 0 -1 WITHSCORES
      ZRANGE str 0 -1
      ZRANGE zset x 1
      ZRANGE zset 0 -1 LIMIT 0 1
      ZRANGE zset 0 -1 BYLEX
      ZRANGE zset - + BYLEX WITHSCORES
      ZRANGE zset 0 -1 withscores
      ZADD zset 2.5 n
      ZRANGE zset 0 -1 WITHSCORES
      ZREVRANGE zset 0 -1
      ZREVRANGE zset 0 -1 WITHSCORES
      ZREVRANGE missing 0 -1
      ZREVRANGE missing 0 -1 WITHSCORES
      ZREVRANGE str 0 -1 WITHSCORES`,
    'ZRANGEBYSCORE, ZRANGEBYLEX and their reverses': `
      ZRANGEBYSCORE zset 1 2
      ZRANGEBYSCORE zset -inf +inf WITHSCORES
      ZRANGEBYSCORE zset -inf +inf WITHSCORES LIMIT 1 1
      ZRANGEBYSCORE zset -inf +inf LIMIT 1 1 WITHSCORES
      ZRANGEBYSCORE zset 8 9 WITHSCORES
      ZRANGEBYSCORE missing 1 2 WITHSCORES
      ZRANGEBYSCORE str 1 2
      ZRANGEBYSCORE zset x 2
      ZREVRANGEBYSCORE zset 2 1
      ZREVRANGEBYSCORE zset +inf -inf WITHSCORES
      ZREVRANGEBYSCORE missing 2 1 WITHSCORES
      ZREVRANGEBYSCORE str 2 1
      ZRANGEBYLEX zset - +
      ZRANGEBYLEX zset (a [c LIMIT 0 1
      ZRANGEBYLEX missing - +
      ZRANGEBYLEX str - +
      ZRANGEBYLEX zset a c
      ZREVRANGEBYLEX zset + -
      ZREVRANGEBYLEX missing + -
      ZREVRANGEBYLEX str + -
      ZADD zset 1 aa
      ZRANGEBYSCORE zset -inf +inf WITHSCORES
      ZREVRANGEBYLEX zset + -`,
    'ZRANK, ZREVRANK, ZCOUNT and ZLEXCOUNT': `
      ZRANK zset b
      ZRANK zset a
      ZRANK zset nope
      ZRANK missing a
      ZRANK str a
      ZREVRANK zset a
      ZREVRANK zset nope
      ZREVRANK str a
      ZCOUNT zset -inf +inf
      ZCOUNT zset (1 2
      ZCOUNT zset 8 9
      ZCOUNT missing 1 2
      ZCOUNT str 1 2
      ZCOUNT zset x 2
      ZLEXCOUNT zset - +
      ZLEXCOUNT missing - +
      ZLEXCOUNT str - +
      ZLEXCOUNT zset a b
      ZADD zset 0 first
      ZRANK zset b
      ZREVRANK zset b
      ZCOUNT zset -inf +inf
      ZLEXCOUNT zset - +`,
    'ZPOPMIN, ZPOPMAX and ZMPOP': `
      ZRANGE zset 0 -1 WITHSCORES
      ZPOPMIN zset
      ZPOPMAX zset
      ZADD zset 1 a 9 z 10 y
      ZPOPMIN zset 1
      ZPOPMAX zset 1
      ZPOPMIN zset 0
      ZPOPMIN zset 5
      ZPOPMAX zset
      ZPOPMAX zset 2
      ZPOPMIN missing
      ZPOPMIN missing 1
      ZPOPMIN str
      ZPOPMAX str
      ZPOPMIN zset -1
      ZRANGE zset 0 -1 WITHSCORES
      ZADD zset 1 a 2 b 3 c 4 d
      ZMPOP 1 zset MIN
      ZMPOP 2 missing zset MAX COUNT 2
      ZMPOP 1 missing MIN
      ZMPOP 1 missing MIN COUNT 3
      ZMPOP 1 str MIN
      ZMPOP 0 zset MIN
      ZMPOP 1 zset NOPE
      ZMPOP 1 zset MIN COUNT 0
      ZRANGE zset 0 -1 WITHSCORES`,
    'ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX': `
      ZRANGE zset 0 -1
      ZREMRANGEBYRANK zset 0 0
      ZREMRANGEBYRANK zset 8 9
      ZREMRANGEBYRANK missing 0 1
      ZREMRANGEBYRANK str 0 1
      ZRANGE zset 0 -1
      ZREMRANGEBYSCORE zset 2 2
      ZREMRANGEBYSCORE zset 8 9
      ZREMRANGEBYSCORE missing 0 1
      ZREMRANGEBYSCORE str 0 1
      ZREMRANGEBYSCORE zset x 1
      ZRANGE zset 0 -1
      ZREMRANGEBYLEX zset - +
      ZREMRANGEBYLEX zset - +
      ZREMRANGEBYLEX str - +
      ZREMRANGEBYLEX zset a b
      ZRANGE zset 0 -1`,
    ZRANDMEMBER: `
      ZADD one 1.5 x
      ZRANDMEMBER one
      ZRANDMEMBER one 1
      ZRANDMEMBER one 5
      ZRANDMEMBER one -3
      ZRANDMEMBER one 0
      ZRANDMEMBER one 1 WITHSCORES
      ZRANDMEMBER one 5 WITHSCORES
      ZRANDMEMBER one -3 withscores
      ZRANDMEMBER one 0 WITHSCORES
      ZRANDMEMBER zset 9 WITHSCORES
      ZRANDMEMBER missing
      ZRANDMEMBER missing 1
      ZRANDMEMBER missing 1 WITHSCORES
      ZRANDMEMBER str
      ZRANDMEMBER str 1
      ZRANDMEMBER one x
      ZRANDMEMBER one 1 NOPE`,
    ZSCAN: `
      ZSCAN zset 0
      ZSCAN zset 0 MATCH a
      ZSCAN zset 0 MATCH nope COUNT 9
      ZSCAN missing 0
      ZSCAN str 0
      ZSCAN zset x
      ZADD zset 7.25 s
      ZSCAN zset 0`,
    'blocking commands that need not block, or time out': `
      BZPOPMIN missing zset 0
      BZPOPMAX zset 0
      BZMPOP 0 1 zset MIN
      ZADD zset 1 a 2 b 3 c
      BZMPOP 0 2 missing zset MAX COUNT 2
      ZRANGE zset 0 -1 WITHSCORES
      BZPOPMIN str 0
      BZPOPMAX str 0
      BZMPOP 0 1 str MIN
      BZPOPMIN zset x
      BZPOPMIN zset -1
      BZMPOP 0 0 zset MIN
      BZPOPMIN missing 0.01
      BZPOPMAX missing 0.01
      BZMPOP 0.01 1 missing MIN
      BZMPOP 0.01 1 missing MIN COUNT 2`,
  },
  scripts: {
    'BZPOPMIN and its kin are served by another client': {
      steps: [
        on('b', 'BZPOPMIN q1 q2 0', 0),
        blocked(1),
        'ZADD q2 1.5 v 2 w',
        read('b'),
        on('b', 'BZPOPMAX q1 0', 0),
        blocked(1),
        'ZADD q1 3 x 4 y',
        read('b'),
        on('b', 'BZMPOP 0 2 q3 q4 MIN COUNT 2', 0),
        blocked(1),
        'ZADD q4 0.1 m 1e22 n inf o',
        read('b'),
        'ZRANGE q4 0 -1 WITHSCORES',
      ],
    },
  },
};
