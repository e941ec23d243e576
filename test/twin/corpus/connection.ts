import { on, raw, type Group } from '../script.ts';

export const connection: Group = {
  name: 'connection',
  plain: {
    'PING, ECHO and SELECT': [
      'PING',
      'PING hello',
      'PING ""',
      ['PING', '\xff\x00\r\n'],
      'ECHO hello',
      ['ECHO', '\xff\x00\r\n'],
      'ECHO ""',
      'SELECT 1',
      'SELECT 0',
      'SELECT -1',
      'SELECT 16',
      'SELECT x',
      'SELECT 1x',
      'ping',
      'PiNg x',
      'CLIENT GETNAME',
      'CLIENT SETNAME tester',
      'CLIENT GETNAME',
      'CLIENT SETNAME "with space"',
      'CLIENT SETNAME ""',
      'CLIENT GETNAME',
    ],
    'TIME, WAIT, LOLWUT and COMMAND': `
      TIME
      WAIT 0 1
      WAIT 0 0
      WAIT x 0
      WAIT 0 x
      WAIT 0 -1
      LOLWUT
      LOLWUT VERSION 5 1 1 1
      COMMAND COUNT
      COMMAND INFO get nosuch set
      COMMAND INFO client|list
      COMMAND DOCS get
      COMMAND DOCS nosuch
      COMMAND LIST FILTERBY PATTERN xr*
      COMMAND LIST FILTERBY ACLCAT nosuch
      COMMAND LIST FILTERBY MODULE nosuch
      COMMAND LIST FILTERBY NOPE x
      COMMAND GETKEYS MSET a 1 b 2
      COMMAND GETKEYS GET
      COMMAND GETKEYS PING
      COMMAND GETKEYS NOSUCH a
      COMMAND GETKEYSANDFLAGS MSET a 1 b 2
      COMMAND GETKEYSANDFLAGS PING
      COMMAND HELP`,
    'the whole of COMMAND': `
      COMMAND
      COMMAND INFO
      COMMAND LIST`,
  },
  scripts: {
    'HELLO and its mistakes': {
      steps: [
        'HELLO',
        'HELLO 2',
        'GET missing',
        'HGETALL hash',
        'HELLO',
        'HELLO 3',
        'GET missing',
        'HGETALL hash',
        'HELLO',
        'HELLO 4',
        'HELLO 1',
        'HELLO x',
        'HELLO 3 SETNAME me',
        'CLIENT GETNAME',
        'HELLO 3 SETNAME "a b"',
        'HELLO 3 AUTH default',
        'HELLO 3 AUTH nosuch pw',
        'HELLO 2 AUTH default anything SETNAME you',
        'CLIENT GETNAME',
        'HELLO 3 NOPE',
        'HELLO 3 SETNAME',
        'HGETALL hash',
        'HELLO 2',
        'HGETALL hash',
      ],
    },
    'HELLO in the middle of a pipeline': {
      steps: [
        {
          on: 'a',
          pipeline: ['HGETALL hash', 'HELLO 3', 'HGETALL hash', 'HELLO 2', 'HGETALL hash', 'GET missing'],
        },
        {
          on: 'a',
          pipeline: ['HELLO 3', 'ZRANGE zset 0 -1 WITHSCORES', 'MULTI', 'HGETALL hash', 'EXEC', 'HELLO 2'],
        },
        'MULTI',
        'HELLO 3',
        'EXEC',
        'HGETALL hash',
      ],
    },
    'AUTH without a password set': {
      steps: ['AUTH x', 'AUTH default x', 'AUTH nosuch x', 'AUTH', 'AUTH a b c', 'ACL WHOAMI'],
    },
    RESET: {
      steps: [
        'SELECT 3',
        'CLIENT SETNAME me',
        'MULTI',
        'SET k v',
        'RESET',
        'EXEC',
        'CLIENT GETNAME',
        'GET str',
        'HGETALL hash',
        'WATCH str',
        'RESET',
        on('b', 'SET str x'),
        'MULTI',
        'GET str',
        'EXEC',
        'CLIENT TRACKING ON',
        'RESET',
        'CLIENT TRACKINGINFO',
      ],
    },
    'QUIT answers and ends': {
      noPing: true,
      steps: [
        { on: 'a', pipeline: ['GET str', 'QUIT'] },
        { on: 'a', ended: true },
        on('b', 'QUIT now'),
        { on: 'b', ended: true },
        on('c', 'MULTI'),
        on('c', 'SET str x'),
        on('c', 'QUIT'),
        { on: 'c', ended: true },
        on('d', 'GET str'),
      ],
    },
    'what follows QUIT is not answered': {
      noPing: true,
      steps: [raw('a', 'QUIT\r\nSET str x\r\nGET str\r\n'), { on: 'a', ended: true }, on('b', 'GET str')],
    },
    'unknown commands': {
      steps: [
        'NOSUCH',
        'NOSUCH a b "c d"',
        ['NOSUCH', '\xff\x00', 'line\r\nbreak'],
        [''],
        ['no\r\nsuch', 'a'],
        ['N'.repeat(300), 'x'],
        ['NOSUCH', 'x'.repeat(300), 'y'],
        ['NOSUCH', ...Array.from({ length: 50 }, (_, i) => `argument${i}`)],
        { on: 'a', pipeline: ['GET str', 'NOSUCH', 'GET str', 'SET str 1', 'NOSUCH x', 'GET str'] },
        'GET|SET x',
        'CLIENT|ID',
        'CLIENT CACHING YES',
      ],
    },
    'CLIENT REPLY': {
      steps: [
        'CLIENT REPLY ON',
        'CLIENT REPLY NOPE',
        on('a', 'CLIENT REPLY SKIP', 0),
        on('a', 'SET str unanswered', 0),
        'GET str',
        on('a', 'CLIENT REPLY OFF', 0),
        on('a', 'SET str again', 0),
        on('a', 'GET str', 0),
        on('a', 'NOSUCH', 0),
        on('a', 'CLIENT REPLY ON', 0),
        raw('a', 'GET str\r\n', 2),
        on('b', 'GET str'),
      ],
    },
  },
};
