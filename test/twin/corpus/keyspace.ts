import type { Group } from '../script.ts';

export const keyspace: Group = {
  name: 'keyspace and databases',
  plain: {
    'MOVE, SELECT and SWAPDB': `
      GET str
      MOVE str 1
      GET str
      MOVE missing 1
      MOVE num 0
      MOVE num 99
      SELECT 1
      GET str
      SET only-in-1 v
      DBSIZE
      SELECT 0
      GET only-in-1
      SWAPDB 0 1
      GET only-in-1
      GET str
      GET num
      SWAPDB 0 1
      GET num
      SWAPDB 0 99
      SWAPDB x 1
      SELECT 99
      SELECT x
      GET num`,
    'the same key in several databases': `
      SET k zero
      SELECT 1
      SET k one
      GET k
      SELECT 15
      GET k
      SET k fifteen
      GET k
      SELECT 0
      GET k
      SELECT 1
      DEL k
      GET k
      SELECT 15
      GET k
      FLUSHDB
      GET k
      SELECT 0
      GET k
      FLUSHALL
      GET k`,
  },
  bare: {
    RANDOMKEY: `
      RANDOMKEY
      SET one 1
      RANDOMKEY
      RENAME one two
      RANDOMKEY
      DEL two
      RANDOMKEY`,
    'KEYS, DBSIZE and SCAN': `
      DBSIZE
      KEYS *
      SCAN 0
      SET one 1
      DBSIZE
      KEYS *
      SCAN 0
      MSET two 2 three 3
      DBSIZE
      KEYS *
      KEYS t*
      KEYS nope
      KEYS [
      SCAN 0
      SCAN 0 MATCH t* COUNT 100
      SCAN 0 MATCH nope
      SCAN 0 TYPE string
      SCAN 0 TYPE list
      SCAN x
      SCAN 0 COUNT 0
      SCAN 0 NOPE
      DEL one two three
      KEYS *`,
    'FLUSHALL and FLUSHDB': `
      SET k v
      HSET h f v
      GET k
      HGETALL h
      FLUSHDB
      GET k
      HGETALL h
      SET k v
      GET k
      FLUSHALL
      GET k
      SET k w
      GET k
      FLUSHDB ASYNC
      GET k
      SET k x
      FLUSHALL SYNC
      GET k
      FLUSHALL NOPE
      FLUSHDB SYNC ASYNC
      DBSIZE`,
  },
};
