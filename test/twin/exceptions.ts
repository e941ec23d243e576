import type { Exceptions, Kind } from './coverage.ts';

const noModule = 'there is no module to load';
const noAclFile = 'needs a server with an ACL file';
const alone = 'needs a second node';
const answersOk = 'answers OK or fails';
const answersLength = 'answers a length above 0 or fails';
const subscribes = 'answers with the channel and a count';
const overwrites = 'takes a key of any type';

/** Which commands have no answer of a kind in the twin tests, and why. The tests fail on a command that is missing here and
 *  on an exception that is none. */
export const exceptions: Readonly<Record<Kind, Exceptions>> = {
  success: {
    shutdown: 'ends the server; only its errors are compared',
    sync: 'turns the connection into a replica, which nearcache refuses',
    psync: 'turns the connection into a replica, which nearcache refuses',
    failover: 'needs a replica',
    wait: 'answers 0 as there is no replica',
    'acl|load': noAclFile,
    'acl|save': noAclFile,
    'cluster|bumpepoch': 'answers otherwise each time',
    'cluster|count-failure-reports': alone,
    'cluster|links': alone,
    'cluster|replicas': alone,
    'cluster|slaves': alone,
    'cluster|failover': alone,
    'cluster|forget': alone,
    'cluster|meet': alone,
    'cluster|flushslots': 'stops the node for seconds',
    'cluster|replicate': alone,
    'cluster|reset': 'stops the node for seconds',
    'config|rewrite': 'needs a server with a configuration file',
    'module|list': noModule,
    'module|load': noModule,
    'module|loadex': noModule,
    'module|unload': noModule,
    'object|idletime': 'answers 0 in a test that does not wait',
  },
  empty: {
    hmset: answersOk,
    lset: answersOk,
    ltrim: answersOk,
    mset: answersOk,
    pfmerge: answersOk,
    psetex: answersOk,
    rename: answersOk,
    restore: answersOk,
    'restore-asking': answersOk,
    setex: answersOk,
    watch: answersOk,
    'xgroup|create': answersOk,
    'xgroup|setid': answersOk,
    xsetid: answersOk,
    migrate: 'answers OK, NOKEY or fails',
    lpush: answersLength,
    rpush: answersLength,
    ssubscribe: subscribes,
    sunsubscribe: subscribes,
    'xinfo|groups': 'fails without its key, and the key of the cases has a group',
    'xinfo|stream': 'fails without its key',
  },
  wrongtype: {
    lcs: 'says so with ERR',
    mget: 'answers nil',
    mset: overwrites,
    msetnx: overwrites,
    psetex: overwrites,
    setex: overwrites,
    setnx: overwrites,
  },
};
