import type { Group } from '../script.ts';

export const hashes: Group = {
  name: 'hashes',
  plain: {
    'HSET, HGET, HDEL and their kin': `
      HGET hash f
      HGET hash missing
      HGET missing f
      HGET str f
      HSET hash f w h 3
      HGET hash f
      HGETALL hash
      HSET new f ""
      HGET new f
      HSET str f v
      HSET hash f
      HMSET hash i 4 j 5
      HMGET hash i j nope f
      HMSET str f v
      HMSET hash f
      HSETNX hash f x
      HSETNX hash k x
      HSETNX str f v
      HEXISTS hash k
      HEXISTS hash nope
      HEXISTS missing f
      HEXISTS list f
      HDEL hash k i nope
      HDEL hash nope
      HDEL missing f
      HDEL str f
      HEXISTS hash k
      HLEN hash
      HLEN missing
      HLEN str
      HDEL hash f g h j
      EXISTS hash
      HGETALL hash`,
    'HGETALL, HKEYS, HVALS, HMGET and HSTRLEN': `
      HGETALL hash
      HGETALL missing
      HGETALL list
      HKEYS hash
      HKEYS missing
      HKEYS str
      HVALS hash
      HVALS missing
      HVALS str
      HMGET hash f nope g
      HMGET missing a b
      HMGET str a
      HSTRLEN hash f
      HSTRLEN hash nope
      HSTRLEN missing f
      HSTRLEN str f
      HSET hash f longer
      HGETALL hash
      HVALS hash
      HSTRLEN hash f`,
    'HINCRBY and HINCRBYFLOAT': `
      HGET hash g
      HINCRBY hash g 5
      HGET hash g
      HINCRBY hash new -1
      HINCRBY hash f 1
      HINCRBY missing f 0
      HINCRBY str f 1
      HINCRBY hash g x
      HINCRBY hash g 9223372036854775807
      HINCRBYFLOAT hash g 0.5
      HGET hash g
      HINCRBYFLOAT hash g 1e3
      HINCRBYFLOAT hash f 1
      HINCRBYFLOAT missing2 f 0
      HINCRBYFLOAT str f 1
      HINCRBYFLOAT hash g x
      HGETALL hash`,
    HRANDFIELD: `
      HRANDFIELD one
      HRANDFIELD one 2
      HRANDFIELD one 2 WITHVALUES
      HSET one only v
      HRANDFIELD one
      HRANDFIELD one 1
      HRANDFIELD one 5
      HRANDFIELD one -3
      HRANDFIELD one 0
      HRANDFIELD one 1 WITHVALUES
      HRANDFIELD one 5 withvalues
      HRANDFIELD one -3 WITHVALUES
      HRANDFIELD one 0 WITHVALUES
      HSET pair a 1 b 2
      HRANDFIELD pair 2 WITHVALUES
      HRANDFIELD pair 9 WITHVALUES
      HRANDFIELD list
      HRANDFIELD list 1
      HRANDFIELD one x
      HRANDFIELD one 1 NOPE
      HRANDFIELD one -9223372036854775808 WITHVALUES`,
    HSCAN: `
      HSCAN hash 0
      HSCAN hash 0 MATCH f*
      HSCAN hash 0 MATCH nope
      HSCAN hash 0 COUNT 100
      HSCAN missing 0
      HSCAN str 0
      HSCAN hash x
      HSCAN hash 0 NOPE
      HSET hash z 26
      HSCAN hash 0`,
    'a key or field named like an option': `
      HSET WITHVALUES WITHVALUES 1
      HRANDFIELD WITHVALUES 1
      HRANDFIELD WITHVALUES 1 WITHVALUES
      HGETALL WITHVALUES
      ZADD WITHSCORES 1 WITHSCORES
      ZRANGE WITHSCORES 0 -1
      ZRANGE WITHSCORES 0 -1 WITHSCORES
      ZDIFF 1 WITHSCORES
      ZDIFF 1 WITHSCORES WITHSCORES
      RPUSH COUNT a
      LPOP COUNT
      LPOP COUNT
      LPOP COUNT 1`,
  },
};
