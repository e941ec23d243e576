import { on, type Group, type Step } from '../script.ts';

const saveMyId: readonly Step[] = ['CLUSTER MYID', { on: 'a', save: 'me', pattern: /([0-9a-f]{40})/ }];

/** For a Redis in cluster mode that owns all slots; keys of the fixture lie in many of them. */
export const cluster: Group = {
  name: 'cluster mode',
  plain: {
    'CLUSTER about the node': `
      CLUSTER INFO
      CLUSTER MYID
      CLUSTER NODES
      CLUSTER SLOTS
      CLUSTER SHARDS
      CLUSTER LINKS
      CLUSTER KEYSLOT str
      CLUSTER KEYSLOT {a}b
      CLUSTER COUNTKEYSINSLOT 6928
      CLUSTER COUNTKEYSINSLOT 99999
      CLUSTER GETKEYSINSLOT 6928 10
      CLUSTER GETKEYSINSLOT 1 10
      CLUSTER SAVECONFIG
      CLUSTER HELP
      CLUSTER NOSUCH
      CLUSTER MEET nohost x
      CLUSTER FORGET nosuch
      CLUSTER REPLICATE nosuch
      CLUSTER REPLICAS nosuch
      CLUSTER SLAVES nosuch
      CLUSTER COUNT-FAILURE-REPORTS nosuch
      CLUSTER FAILOVER
      CLUSTER SET-CONFIG-EPOCH 0
      CLUSTER RESET
      CLUSTER SETSLOT 1 STABLE
      CLUSTER SETSLOT 1 MIGRATING nosuch
      CLUSTER SETSLOT 1 NOPE
      CLUSTER ADDSLOTS 1
      CLUSTER ADDSLOTSRANGE 1 2
      CLUSTER ADDSLOTS 99999
      CLUSTER DELSLOTS x`,
    'commands over one slot and over several': `
      GET str
      GET missing
      MGET str num
      MGET {a}1 {a}2
      MSET {a}1 x {a}2 y
      MGET {a}1 {a}2
      MSET {a}1 x b y
      DEL str num
      DEL {a}1 {a}2
      MGET {a}1 {a}2
      SELECT 0
      SELECT 1
      MOVE str 1
      EVAL "return redis.call('get', KEYS[1])" 1 str
      EVAL "return 1" 2 str num
      SPUBLISH ch x
      READONLY
      READWRITE
      ASKING
      GET str`,
  },
  scripts: {
    'CLUSTER about a node by its id': {
      steps: [
        ...saveMyId,
        'CLUSTER REPLICAS {me}',
        'CLUSTER SLAVES {me}',
        'CLUSTER COUNT-FAILURE-REPORTS {me}',
        'CLUSTER FORGET {me}',
        'CLUSTER REPLICATE {me}',
        'CLUSTER SETSLOT 1 NODE {me}',
        'CLUSTER SETSLOT 1 MIGRATING {me}',
      ],
    },
    'slots are given up and taken back': {
      bare: true,
      steps: [
        'CLUSTER DELSLOTS 6928',
        'GET str',
        'SET str x',
        'GET other',
        'CLUSTER ADDSLOTS 6928',
        'CLUSTER DELSLOTSRANGE 6900 6999',
        'GET str',
        'CLUSTER ADDSLOTSRANGE 6900 6999',
        'GET str',
        'SET str x',
        'GET str',
      ],
    },
    'a transaction over several slots': {
      steps: [
        'MULTI',
        'SET {a}1 x',
        'SET b y',
        'EXEC',
        { on: 'a', pipeline: ['MULTI', 'SET {a}1 x', 'GET {a}1', 'EXEC', 'GET {a}1'] },
        { on: 'a', pipeline: ['MULTI', 'SET {a}1 x', 'GET str', 'EXEC'] },
        { on: 'a', pipeline: ['MULTI', 'MGET {a}1 str', 'EXEC'] },
      ],
    },
    'sharded channels': {
      steps: [
        on('a', 'SSUBSCRIBE {c}1 {c}2', 2),
        'SSUBSCRIBE other',
        on('b', 'SPUBLISH {c}1 hello'),
        { on: 'a', read: 1 },
        'SUNSUBSCRIBE {c}1 other',
        on('a', 'SUNSUBSCRIBE {c}2 {c}1', 2),
        'SUNSUBSCRIBE',
        'SUNSUBSCRIBE',
        'SSUBSCRIBE {c}1 other',
      ],
      protocols: [3],
    },
  },
};
