import type { Group } from '../script.ts';

export const combinedSortedSets: Group = {
  name: 'combined sorted sets',
  plain: {
    'ZUNION, ZINTER, ZDIFF and ZINTERCARD': `
      ZADD more 10 b 20 c 30 d
      ZUNION 2 zset more
      ZUNION 2 zset more WITHSCORES
      ZUNION 2 zset more WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES
      ZUNION 1 missing
      ZUNION 1 missing WITHSCORES
      ZUNION 2 zset str
      ZUNION 2 zset ints WITHSCORES
      ZINTER 2 zset more
      ZINTER 2 zset more WITHSCORES
      ZINTER 2 zset missing WITHSCORES
      ZINTER 2 zset str
      ZDIFF 2 zset more
      ZDIFF 2 zset more WITHSCORES
      ZDIFF 2 zset zset WITHSCORES
      ZDIFF 2 zset str
      ZDIFF 1 missing
      ZINTERCARD 2 zset more
      ZINTERCARD 2 zset more LIMIT 1
      ZINTERCARD 2 zset missing
      ZINTERCARD 2 zset str
      ZUNION 0 zset
      ZUNION 3 zset more
      ZINTER 2 zset more WEIGHTS 1
      ZINTER 2 zset more AGGREGATE NOPE
      ZDIFF 2 zset more WEIGHTS 1 2
      ZREM more c
      ZUNION 2 zset more WITHSCORES
      ZINTER 2 zset more WITHSCORES
      ZDIFF 2 zset more WITHSCORES
      ZINTERCARD 2 zset more`,
    'ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE and ZRANGESTORE': `
      ZADD more 10 b 20 c 30 d
      ZRANGE dest 0 -1 WITHSCORES
      ZUNIONSTORE dest 2 zset more
      ZRANGE dest 0 -1 WITHSCORES
      ZUNIONSTORE dest 2 zset more WEIGHTS 1 2 AGGREGATE MIN
      ZINTERSTORE dest 2 zset more
      ZRANGE dest 0 -1 WITHSCORES
      ZDIFFSTORE dest 2 zset more
      ZRANGE dest 0 -1 WITHSCORES
      ZRANGESTORE dest more 0 1
      ZRANGE dest 0 -1 WITHSCORES
      ZRANGESTORE dest more 10 20 BYSCORE REV LIMIT 0 1
      ZRANGESTORE dest missing 0 -1
      ZRANGE dest 0 -1 WITHSCORES
      ZUNIONSTORE dest 1 missing
      ZINTERSTORE dest 2 zset missing
      ZDIFFSTORE dest 1 missing
      ZUNIONSTORE dest 2 zset str
      ZINTERSTORE dest 2 zset str
      ZDIFFSTORE dest 2 zset str
      ZRANGESTORE dest str 0 -1
      ZUNIONSTORE dest 0 zset
      ZINTERSTORE dest x zset
      ZRANGESTORE dest zset 0 -1 WITHSCORES
      ZUNIONSTORE str 1 zset
      TYPE str`,
  },
};
