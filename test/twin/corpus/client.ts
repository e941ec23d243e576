import { blocked, on, read, type Group } from '../script.ts';

export const client: Group = {
  name: 'CLIENT',
  plain: {
    'CLIENT about itself': `
      CLIENT ID
      CLIENT INFO
      CLIENT LIST ID 0
      CLIENT LIST TYPE pubsub
      CLIENT LIST TYPE nope
      CLIENT LIST NOPE
      CLIENT GETREDIR
      CLIENT TRACKINGINFO
      CLIENT NO-EVICT ON
      CLIENT NO-EVICT OFF
      CLIENT NO-EVICT NOPE
      CLIENT NO-TOUCH ON
      CLIENT SETINFO lib-name x
      CLIENT MAINT_NOTIFICATIONS ON
      CLIENT UNBLOCK 0
      CLIENT UNBLOCK x
      CLIENT UNPAUSE
      CLIENT PAUSE 0
      CLIENT PAUSE 0 WRITE
      CLIENT PAUSE x
      CLIENT PAUSE 0 NOPE
      CLIENT UNPAUSE
      CLIENT CACHING YES
      CLIENT CACHING NO
      CLIENT KILL 127.0.0.1:1
      CLIENT KILL ID 0
      CLIENT KILL ID x
      CLIENT KILL ADDR 127.0.0.1:1
      CLIENT KILL TYPE pubsub
      CLIENT KILL TYPE nope
      CLIENT KILL USER nosuch
      CLIENT KILL NOPE x
      CLIENT KILL ID
      CLIENT REPLY ON
      CLIENT HELP`,
  },
  scripts: {
    'CLIENT LIST': {
      steps: ['CLIENT SETNAME me', on('a', 'CLIENT INFO'), on('a', 'CLIENT LIST TYPE normal')],
    },
    'CLIENT LIST by id, and KILL by id': {
      noPing: true,
      steps: [
        on('b', 'CLIENT ID'),
        { on: 'b', save: 'b', pattern: /:(\d+)/ },
        on('b', 'CLIENT SETNAME bee'),
        on('b', 'SELECT 3'),
        'CLIENT LIST ID {b}',
        'CLIENT KILL ID {b}',
        { on: 'b', ended: true },
        'CLIENT KILL ID {b}',
        'CLIENT LIST ID {b}',
        'GET str',
      ],
    },
    'CLIENT KILL by address, and of oneself': {
      noPing: true,
      steps: [
        on('b', 'CLIENT INFO'),
        { on: 'b', save: 'addr', pattern: / addr=(\S+)/ },
        'CLIENT KILL ADDR {addr}',
        { on: 'b', ended: true },
        on('c', 'CLIENT INFO'),
        { on: 'c', save: 'addr', pattern: / addr=(\S+)/ },
        'CLIENT KILL {addr}',
        { on: 'c', ended: true },
        'CLIENT ID',
        { on: 'a', save: 'a', pattern: /:(\d+)/ },
        'CLIENT KILL ID {a} SKIPME yes',
        'CLIENT KILL ID {a} SKIPME no',
        { on: 'a', ended: true },
        on('d', 'GET str'),
      ],
    },
    'CLIENT UNBLOCK': {
      steps: [
        on('b', 'CLIENT ID'),
        { on: 'b', save: 'b', pattern: /:(\d+)/ },
        'CLIENT UNBLOCK {b}',
        on('b', 'BLPOP q 0', 0),
        blocked(1),
        'CLIENT UNBLOCK {b}',
        read('b'),
        on('b', 'XREAD BLOCK 0 STREAMS q $', 0),
        blocked(1),
        'CLIENT UNBLOCK {b} ERROR',
        read('b'),
        on('b', 'BZPOPMIN q 0', 0),
        blocked(1),
        'CLIENT UNBLOCK {b}',
        read('b'),
        on('b', 'GET str'),
      ],
    },
    'CLIENT UNBLOCK of WAIT': {
      steps: [
        on('b', 'CLIENT ID'),
        { on: 'b', save: 'b', pattern: /:(\d+)/ },
        on('b', 'WAIT 9 0', 0),
        blocked(1),
        'CLIENT UNBLOCK {b}',
        read('b'),
        on('b', 'GET str'),
      ],
    },
    'CLIENT TRACKING in RESP3': {
      protocols: [3],
      steps: [
        'CLIENT TRACKING ON',
        'CLIENT TRACKINGINFO',
        'GET str',
        'HGETALL hash',
        on('b', 'SET str x'),
        read('a'),
        on('b', 'SET str y'),
        'GET str',
        'SET str mine',
        read('a'),
        on('b', 'HSET hash f x'),
        read('a'),
        'GET str',
        on('b', 'FLUSHALL'),
        read('a'),
        'CLIENT TRACKING OFF',
        'CLIENT TRACKING ON OPTIN',
        'CLIENT TRACKINGINFO',
        'GET str',
        on('b', 'SET str z'),
        'CLIENT CACHING YES',
        'GET str',
        on('b', 'SET str zz'),
        read('a'),
        'CLIENT CACHING NO',
        'CLIENT TRACKING OFF',
        'CLIENT TRACKING ON BCAST PREFIX st PREFIX ha',
        on('b', 'SET st1 x'),
        read('a'),
        'CLIENT TRACKINGINFO',
        'CLIENT GETREDIR',
        'CLIENT TRACKING OFF',
        'CLIENT TRACKINGINFO',
      ],
    },
    'CLIENT TRACKING and its mistakes': {
      steps: [
        'CLIENT TRACKING NOPE',
        'CLIENT TRACKING ON BCAST OPTIN',
        'CLIENT TRACKING ON OPTIN OPTOUT',
        'CLIENT TRACKING ON PREFIX x',
        'CLIENT TRACKING ON REDIRECT 0',
        'CLIENT TRACKING ON REDIRECT 999999999',
        'CLIENT TRACKING ON REDIRECT x',
        'CLIENT TRACKING ON BCAST PREFIX a PREFIX ab',
        'CLIENT TRACKING OFF',
        'CLIENT CACHING YES',
        'CLIENT TRACKINGINFO',
        'CLIENT GETREDIR',
      ],
    },
    'CLIENT TRACKING in RESP2 delivers nothing by itself': {
      protocols: [2],
      steps: ['CLIENT TRACKING ON', 'GET str', on('b', 'SET str x'), 'GET str', 'CLIENT TRACKING OFF'],
    },
    'CLIENT TRACKING in RESP2 redirects to a subscriber': {
      protocols: [2],
      steps: [
        on('b', 'CLIENT ID'),
        { on: 'b', save: 'b', pattern: /:(\d+)/ },
        on('b', 'SUBSCRIBE __redis__:invalidate'),
        'CLIENT TRACKING ON REDIRECT {b}',
        'GET str',
        on('c', 'SET str x'),
        read('b'),
        'GET str',
        on('c', 'FLUSHALL'),
        read('b'),
        'CLIENT TRACKING OFF',
      ],
    },
    'CLIENT PAUSE holds writes back': {
      steps: [
        on('b', 'CLIENT PAUSE 3000 WRITE'),
        'GET str',
        on('a', 'SET str x', 0),
        on('b', 'PING'),
        on('b', 'CLIENT UNPAUSE'),
        read('a'),
        on('b', 'GET str'),
      ],
    },
  },
};
