import { on, type Group } from '../script.ts';

export const server: Group = {
  name: 'server',
  plain: {
    INFO: `
      INFO server
      INFO clients
      INFO memory
      INFO persistence
      INFO replication
      INFO cpu
      INFO modules
      INFO cluster
      INFO nosuch
      INFO keyspace`,
    CONFIG: `
      CONFIG GET maxmemory
      CONFIG GET maxmemory* hz
      CONFIG GET nosuch
      CONFIG GET slowlog-*
      CONFIG SET slowlog-max-len 64
      CONFIG GET slowlog-max-len
      CONFIG SET slowlog-max-len 128 latency-monitor-threshold 0
      CONFIG SET nosuch 1
      CONFIG SET slowlog-max-len x
      CONFIG SET slowlog-max-len 1 slowlog-max-len 2
      CONFIG SET port 1 nosuch
      CONFIG RESETSTAT
      CONFIG REWRITE
      CONFIG HELP`,
    'LATENCY, SLOWLOG and MEMORY': `
      LATENCY LATEST
      LATENCY HISTORY nosuch
      LATENCY GRAPH nosuch
      LATENCY DOCTOR
      LATENCY RESET
      LATENCY RESET nosuch
      LATENCY HISTOGRAM nosuch
      INCR num
      LATENCY HISTOGRAM incr
      LATENCY HELP
      SLOWLOG RESET
      SLOWLOG GET
      SLOWLOG GET 5
      SLOWLOG GET -2
      SLOWLOG GET x
      SLOWLOG LEN
      SLOWLOG HELP
      MEMORY DOCTOR
      MEMORY MALLOC-STATS
      MEMORY PURGE
      MEMORY STATS
      MEMORY HELP`,
    'ROLE, LASTSAVE, MODULE and REPLICAOF': `
      ROLE
      LASTSAVE
      MODULE LIST
      MODULE LOAD /nosuch.so
      MODULE LOADEX /nosuch.so
      MODULE UNLOAD nosuch
      MODULE HELP
      REPLICAOF NO ONE
      SLAVEOF NO ONE
      REPLICAOF x y
      SHUTDOWN ABORT
      SHUTDOWN NOPE
      REPLCONF
      REPLCONF nosuch x`,
    FAILOVER: `
      FAILOVER
      FAILOVER ABORT`,
    'CLUSTER commands without cluster mode': `
      CLUSTER INFO
      CLUSTER KEYSLOT foo
      CLUSTER SLOTS
      CLUSTER NODES
      CLUSTER SHARDS
      CLUSTER MYID
      CLUSTER COUNTKEYSINSLOT 1
      CLUSTER GETKEYSINSLOT 1 9
      CLUSTER HELP
      CLUSTER NOSUCH
      ASKING
      READONLY
      READWRITE`,
    DEBUG: `
      DEBUG OBJECT str
      DEBUG OBJECT missing
      DEBUG SLEEP 0
      DEBUG SET-ACTIVE-EXPIRE 1
      DEBUG DIGEST-VALUE str missing
      DEBUG NOSUCH
      DEBUG LISTPACK hash
      DEBUG SDSLEN str
      DEBUG STRINGMATCH-LEN 10 x
      DEBUG JMAP
      DEBUG ERROR "MY error"
      DEBUG LOG x
      DEBUG CHANGE-REPL-ID
      DEBUG HELP`,
    'DEBUG PROTOCOL': `
      DEBUG PROTOCOL string
      DEBUG PROTOCOL integer
      DEBUG PROTOCOL double
      DEBUG PROTOCOL null
      DEBUG PROTOCOL array
      DEBUG PROTOCOL set
      DEBUG PROTOCOL map
      DEBUG PROTOCOL verbatim
      DEBUG PROTOCOL true
      DEBUG PROTOCOL false
      DEBUG PROTOCOL bignum
      DEBUG PROTOCOL nosuch`,
  },
  scripts: {
    'DEBUG PROTOCOL attrib': { steps: ['DEBUG PROTOCOL attrib', 'GET str'] },
    'DEBUG PROTOCOL push in RESP2': { protocols: [2], steps: ['DEBUG PROTOCOL push', 'GET str'] },
    'DEBUG PROTOCOL push in RESP3': { protocols: [3], steps: [on('a', 'DEBUG PROTOCOL push', 2), 'GET str'] },
    'all of INFO and CONFIG GET': {
      bare: true,
      steps: [
        'INFO everything',
        'INFO',
        'INFO default all',
        'CONFIG GET *',
        'INFO commandstats',
        'INFO errorstats',
      ],
    },
    'DEBUG RELOAD keeps the data': {
      protocols: [2],
      steps: ['GET str', 'DEBUG RELOAD', 'GET str', 'HGETALL hash'],
    },
    saving: {
      protocols: [2],
      steps: [
        'SAVE',
        'BGSAVE NOPE',
        'BGSAVE',
        { until: 'INFO persistence', shows: 'rdb_bgsave_in_progress:0\r' },
        'BGSAVE SCHEDULE',
        { until: 'INFO persistence', shows: 'rdb_bgsave_in_progress:0\r' },
        'BGREWRITEAOF',
        { until: 'INFO persistence', shows: 'aof_rewrite_in_progress:0\r' },
        'LASTSAVE',
        'GET str',
      ],
    },
    'a slow command is in the log': {
      steps: ['DEBUG SLEEP 0.012', 'SLOWLOG LEN', 'SLOWLOG GET', 'SLOWLOG RESET', 'SLOWLOG LEN'],
    },
    'latency events': {
      protocols: [2],
      steps: [
        'CONFIG SET latency-monitor-threshold 1',
        'DEBUG SLEEP 0.01',
        'LATENCY LATEST',
        'LATENCY HISTORY command',
        'LATENCY GRAPH command',
        'LATENCY DOCTOR',
        'LATENCY RESET command',
        'CONFIG SET latency-monitor-threshold 0',
      ],
    },
  },
};
